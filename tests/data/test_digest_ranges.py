from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.data.deduplicate import (
    TEST,
    Shares,
    assign_splits,
    digest_lines,
    first_occurrences,
    look_at_range,
)
from rrnn_lit.data.digest_ranges import DigestRanges, look_at_all, split_digests
from rrnn_lit.data.executors import PlainLoop
from rrnn_lit.data.shards import Shards

SIZES = [300, 0, 120, 500, 1]
SHARES = Shares(0.2, 0.1, 0.1, 40)


def some_ranges(folder: Path, together: int) -> tuple[DigestRanges, list[str]]:
    generator = np.random.default_rng(1)
    shards = Shards(folder)
    lines: list[str] = []
    for number, size in enumerate(SIZES):
        shard = [f"line {n}" for n in generator.integers(0, 600, size)]
        shards.write(number, shard, {})
        lines += shard
    return split_digests(folder, shards, SIZES, together), lines


@pytest.mark.parametrize("together", [10, 100, 10_000])
def test_equals_one_look_at_all_digests_whatever_the_size_of_a_range(
    tmp_path: Path, together: int
) -> None:
    ranges, lines = some_ranges(tmp_path, together)
    results = [r for r in look_at_all(ranges, SHARES, PlainLoop()) if r is not None]
    whole = look_at_range(digest_lines(lines), np.arange(len(lines)), SHARES)
    firsts = first_occurrences(results, len(lines))
    assert firsts.sum() == len(set(lines))
    assert (firsts == first_occurrences([whole], len(lines))).all()
    found, wanted = (assign_splits(r, SIZES, SHARES) for r in (results, [whole]))
    assert [c.tolist() for c in found.codes] == [c.tolist() for c in wanted.codes]
    assert found.num_left_out == wanted.num_left_out
    assert found.order[TEST].tolist() == wanted.order[TEST].tolist()


def test_groups_and_ranges_are_no_larger_than_asked_for(tmp_path: Path) -> None:
    ranges, lines = some_ranges(tmp_path, 500)
    assert [group.shards for group in ranges.groups] == [(0, 3), (3, 4), (4, 5)]
    assert ranges.bits == 1
    for group in ranges.groups:
        ranges.write_group(group)
    sizes = [len(ranges.read(number)[0]) for number in range(2)]
    assert sum(sizes) == len(lines)
    ranges.delete()
    assert not list(tmp_path.glob("*.ranges"))


def test_a_group_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    ranges, _ = some_ranges(tmp_path, 10_000)
    (group,) = ranges.groups
    ranges.write_group(group)
    for path in tmp_path.glob("*.npy"):
        path.unlink()
    ranges.write_group(group)
    assert len(ranges.read(0)[0]) == sum(SIZES)


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    ranges = split_digests(tmp_path, Shards(tmp_path), [])
    results = [r for r in look_at_all(ranges, SHARES, PlainLoop()) if r is not None]
    assert assign_splits(results, [], SHARES).codes == []
