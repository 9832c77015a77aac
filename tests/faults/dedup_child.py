"""Writes made-up lines as shards, drops their duplicates and prints the peak of its memory.

Usage: python -m tests.faults.dedup_child FOLDER NUMBER_OF_LINES
Writes FOLDER/all.txt, every line, and FOLDER/kept.txt, the first of each.
"""

import itertools
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rrnn_lit.data.deduplicate import by_shard, first_occurrences
from rrnn_lit.data.digest_ranges import look_at_all, split_digests
from rrnn_lit.data.executors import PlainLoop
from rrnn_lit.data.shards import Shards

LINES_PER_SHARD = 30_000


def blocks(num_lines: int) -> Iterator[list[str]]:
    """Yield lines of which about a quarter are repeated, near and far."""
    for start in range(0, num_lines, LINES_PER_SHARD):
        generator = np.random.default_rng(start)
        numbers = generator.integers(0, 2 * num_lines, LINES_PER_SHARD).tolist()
        yield [f"line {number} of the text" for number in numbers]


def peak_mb() -> float:
    """Return the highest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(folder: Path, num_lines: int) -> None:
    """See the top."""
    shards, sizes = Shards(folder), []
    with open(folder / "all.txt", "w") as file:
        for number, lines in enumerate(blocks(num_lines)):
            shards.write(number, lines, {})
            sizes.append(len(lines))
            file.write("".join([f"{line}\n" for line in lines]))
    before = peak_mb()
    ranges = split_digests(folder, shards, sizes)
    results = (r for r in look_at_all(ranges, None, PlainLoop()) if r is not None)
    firsts = first_occurrences(results, sum(sizes))
    after = peak_mb()
    with open(folder / "kept.txt", "w") as file:
        for number, mask in enumerate(by_shard(firsts, sizes)):
            kept = itertools.compress(shards.lines(number), mask.tolist())
            file.write("".join([f"{line}\n" for line in kept]))
    print(json.dumps({"kept": int(firsts.sum()), "before_mb": before, "peak_mb": after}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
