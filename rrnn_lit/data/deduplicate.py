"""Exact duplicates by 128-bit digest, and the split of each sentence by the same digest.

Digests are looked at in partitions, so memory is one partition plus a byte a sentence, whatever
the amount of text. Two different sentences share a digest with odds below 1e-22 for 71 million.

Digests are arrays of shape (number, 2), unsigned 64-bit, high half first; a shard's come as one
array, and shards are numbered in reading order. Nothing here knows files.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Digests = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint8]

TRAIN, TUNE, TEST, HOLDOUT = range(4)  # positions in token_store.SPLITS
LEFT_OUT = 254  # above the cap of its split
DUPLICATE = 255
_PARTITION = 2_000_000  # sentences looked at together: about 100 MB


def digest_lines(lines: Iterable[str]) -> Digests:
    """Return the 128-bit BLAKE2b digests of text lines."""
    joined = b"".join(hashlib.blake2b(line.encode(), digest_size=16).digest() for line in lines)
    return np.frombuffer(joined, dtype=">u8").reshape(-1, 2).astype(np.uint64)


def first_occurrences(
    load: Callable[[int], Digests], sizes: Sequence[int], partition: int = _PARTITION
) -> list[npt.NDArray[np.bool_]]:
    """Return per shard a mask that is true where no earlier sentence has the same digest.

    Args:
        load: shard number -> its digests; called once per partition.
        sizes: number of digests in each shard.
        partition: about how many digests may be in memory together.
    """
    keep = np.zeros(sum(sizes), dtype=np.bool_)
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
    count = 1 + sum(sizes) // partition
    for number in range(count):
        parts, positions = [], []
        for shard in range(len(sizes)):
            digests = load(shard)
            rows = np.flatnonzero(digests[:, 1] % np.uint64(count) == number)
            parts.append(digests[rows])
            positions.append(rows + starts[shard])
        if parts:
            keep[_first(np.concatenate(parts), np.concatenate(positions))] = True
    return [keep[starts[shard] : starts[shard + 1]] for shard in range(len(sizes))]


def _first(digests: Digests, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the earliest position of each digest; positions come in rising order."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: equal digests stay in order
    ordered = digests[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return positions[order[new]]


@dataclass(frozen=True)
class Shares:
    """Shares of tune, test and holdout, and the most sentences in each of them."""

    tune: float
    test: float
    holdout: float
    max_sentences: int

    def codes(self, digests: Digests) -> Codes:
        """Return the split of each digest, without regard to the cap."""
        bounds = np.cumsum([self.tune, self.test, self.holdout]) * 2.0**64
        split = np.searchsorted(bounds, digests[:, 0].astype(np.float64), side="right")
        return np.array([TUNE, TEST, HOLDOUT, TRAIN], dtype=np.uint8)[split]


@dataclass
class _Candidates:
    """Sentences of one evaluation split; only the smallest digests are kept."""

    most: int
    num_left_out: int = 0
    rows: list[npt.NDArray[np.uint64]] = field(default_factory=list)  # high, low, shard, line

    def add(self, rows: npt.NDArray[np.uint64]) -> None:
        self.rows.append(rows)
        if sum(map(len, self.rows)) > 2 * self.most:
            self.cut()

    def cut(self) -> npt.NDArray[np.uint64]:
        rows = np.concatenate(self.rows) if self.rows else np.zeros((0, 4), dtype=np.uint64)
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        self.num_left_out += max(0, len(rows) - self.most)
        self.rows = [rows[: self.most]]
        return self.rows[0]


@dataclass(frozen=True)
class Assignment:
    """Where each sentence goes.

    Attributes:
        codes: per shard, a split's position, `LEFT_OUT` or `DUPLICATE` for each sentence.
        order: per evaluation split, (shard, line) of its sentences by rising digest, so that any
            first part of it is a random sample.
        num_left_out: per evaluation split, sentences above the cap.
    """

    codes: list[Codes]
    order: dict[int, npt.NDArray[np.int64]]
    num_left_out: dict[int, int]


def assign_splits(
    load: Callable[[int], Digests], sizes: Sequence[int], shares: Shares
) -> Assignment:
    """Drop duplicates and give every other sentence its split.

    A sentence's split depends on its digest alone. The cap keeps the smallest digests, so more
    text can push a sentence out of an evaluation split but never into another split.
    """
    keep = first_occurrences(load, sizes)
    candidates = {split: _Candidates(shares.max_sentences) for split in (TUNE, TEST, HOLDOUT)}
    codes: list[Codes] = []
    for shard, mask in enumerate(keep):
        digests = load(shard)
        code = np.where(mask, shares.codes(digests), np.uint8(DUPLICATE))
        for split, chosen in candidates.items():
            lines = np.flatnonzero(code == split)
            place = np.stack([np.full(len(lines), shard), lines], axis=1).astype(np.uint64)
            chosen.add(np.concatenate([digests[lines], place], axis=1))
        # provisional: those that survive the cap are put back below
        codes.append(np.where(code == TRAIN, TRAIN, np.maximum(code, LEFT_OUT)).astype(np.uint8))
    order = {split: chosen.cut()[:, 2:].astype(np.int64) for split, chosen in candidates.items()}
    for split, places in order.items():
        for shard, line in places.tolist():
            codes[shard][line] = split
    left_out = {split: chosen.num_left_out for split, chosen in candidates.items()}
    return Assignment(codes, order, left_out)
