"""Brings the digests of one range of values together, from shards that hold them in text order.

First every group of shards is written once more, ordered by range, 20 bytes a sentence; then each
range reads its piece of every group. So each digest is read twice and written once, whatever the
amount of text, and neither step holds more than about 200,000 sentences.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.deduplicate import (
    Digests,
    Positions,
    RangeResult,
    Shares,
    look_at_range,
    shard_starts,
)
from rrnn_lit.data.executors import FEW, Executor, run_tasks
from rrnn_lit.data.shards import Shards, write_durably

TOGETHER = 200_000  # sentences in a group and, at most, about as many in a range
_MOST_BITS = 12  # 4,096 ranges: 800 million sentences


@dataclass(frozen=True)
class Group:
    """Some shards in a row.

    Attributes:
        number: of the group.
        shards: number of the first shard, and of the one after the last.
        start: position of the first sentence.
    """

    number: int
    shards: tuple[int, int]
    start: int


@dataclass(frozen=True)
class DigestRanges:
    """The digests of all shards by range.

    Args:
        folder: an existing one, for the groups' files.
        shards: whose digests.
        groups: all of them, in order.
        bits: of the digests; there are 2^bits ranges.
    """

    folder: Path
    shards: Shards
    groups: tuple[Group, ...]
    bits: int

    @property
    def num_parts(self) -> int:
        """Groups and ranges."""
        return len(self.groups) + (1 << self.bits)

    def write_group(self, group: Group) -> None:
        """Write the file of a group unless an earlier start has."""
        path = self._path(group)
        if path.is_file():
            return
        digests = np.concatenate([self.shards.digests(n) for n in range(*group.shards)])
        # in two shifts: one by all 64 bits, for a single range, is undefined
        ranges = ((digests[:, 0] >> np.uint64(1)) >> np.uint64(63 - self.bits)).astype(np.uint16)
        order = np.argsort(ranges, kind="stable")
        counts = np.bincount(ranges, minlength=1 << self.bits).astype("<u8")
        content = (counts, digests[order].astype("<u8"), order.astype("<u4"))
        write_durably(path, b"".join(part.tobytes() for part in content))

    def read(self, number: int) -> tuple[Digests, Positions]:
        """Return the digests of a range and the rising positions of their sentences."""
        empty = np.zeros((0, 2), dtype=np.uint64), np.zeros(0, dtype=np.int64)
        pieces = [empty, *(self._piece(group, number) for group in self.groups)]
        digests = np.concatenate([piece[0] for piece in pieces])
        return digests, np.concatenate([piece[1] for piece in pieces])

    def _piece(self, group: Group, number: int) -> tuple[Digests, Positions]:
        with open(self._path(group), "rb") as file:
            counts = np.frombuffer(file.read(8 << self.bits), dtype="<u8").astype(np.int64)
            start, end = int(counts[:number].sum()), int(counts[: number + 1].sum())
            head = 8 << self.bits
            digests = _read(file, head + 16 * start, 16 * (end - start), "<u8")
            places = head + 16 * int(counts.sum())
            lines = _read(file, places + 4 * start, 4 * (end - start), "<u4")
        return digests.reshape(-1, 2).astype(np.uint64), lines.astype(np.int64) + group.start

    def delete(self) -> None:
        """Delete the groups' files."""
        for group in self.groups:
            self._path(group).unlink(missing_ok=True)

    def _path(self, group: Group) -> Path:
        return self.folder / f"{group.number:05d}.ranges"


def _read(file: IO[bytes], offset: int, length: int, dtype: str) -> npt.NDArray[Any]:
    content = os.pread(file.fileno(), length, offset)
    if len(content) != length:
        raise ValueError(f"{file.name}: wanted {length} bytes from {offset}, got {len(content)}")
    return np.frombuffer(content, dtype=dtype)


def split_digests(
    folder: Path, shards: Shards, sizes: Sequence[int], together: int = TOGETHER
) -> DigestRanges:
    """Return the ranges of these shards; nothing is read or written yet.

    Args:
        folder: an existing one.
        shards: whose digests.
        sizes: sentences of each shard.
        together: about how many sentences may be in memory at once.
    """
    starts = shard_starts(sizes).tolist()
    groups: list[Group] = []
    first = 0
    for shard in range(len(sizes)):
        if shard + 1 == len(sizes) or starts[shard + 2] - starts[first] > together:
            groups.append(Group(len(groups), (first, shard + 1), starts[first]))
            first = shard + 1
    bits = min(_MOST_BITS, max(0, (starts[-1] - 1) // together).bit_length())
    return DigestRanges(folder, shards, tuple(groups), bits)


@dataclass(frozen=True)
class LookAtRange:
    """Worker: finds the duplicates of one range."""

    ranges: DigestRanges
    shares: Shares | None

    def __call__(self, number: int) -> RangeResult:
        """Return the result of the range."""
        return look_at_range(*self.ranges.read(number), self.shares)


def look_at_all(
    ranges: DigestRanges, shares: Shares | None, executor: Executor
) -> Iterator[RangeResult | None]:
    """Yield None after each group, then the result of each range, lowest digests first."""
    for _ in run_tasks(ranges.write_group, ranges.groups, executor, FEW):
        yield None
    yield from run_tasks(LookAtRange(ranges, shares), range(1 << ranges.bits), executor, FEW)
