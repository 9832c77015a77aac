"""Exact duplicates by 128-bit digest, and the split of each sentence by the same digest.

Digests are looked at by ranges of their value, so memory is one range plus a byte a sentence,
whatever the amount of text. Two different sentences share a digest with odds below 1e-22 for 71
million.

Digests are arrays of shape (number, 2), unsigned 64-bit, high half first. Nothing here knows
files; `digest_ranges.py` brings the digests of a range together.
"""

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Digests = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint8]
_Value = TypeVar("_Value", bound=np.generic)
Positions = npt.NDArray[np.int64]  # of sentences, counted over all shards

TRAIN, TUNE, TEST, HOLDOUT = range(4)  # positions in token_store.SPLITS
EVALUATION = (TUNE, TEST, HOLDOUT)
LEFT_OUT = 254  # above the cap of its split
DUPLICATE = 255


def digest_lines(lines: Iterable[str]) -> Digests:
    """Return the 128-bit BLAKE2b digests of text lines."""
    blake2b = hashlib.blake2b
    joined = b"".join([blake2b(line.encode(), digest_size=16).digest() for line in lines])
    return np.frombuffer(joined, dtype=">u8").reshape(-1, 2).astype(np.uint64)


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


@dataclass(frozen=True)
class RangeResult:
    """What is known of the sentences of one range of digests.

    Attributes:
        duplicates: sentences that an earlier one equals.
        candidates: per evaluation split its first occurrences by rising digest; empty when no
            shares were given.
    """

    duplicates: Positions
    candidates: dict[int, Positions]


def look_at_range(digests: Digests, positions: Positions, shares: Shares | None) -> RangeResult:
    """Return the duplicates of a range, and the splits of the others where shares are given.

    Args:
        digests: all that fall into the range.
        positions: of their sentences, rising.
        shares: None when there are no splits yet.
    """
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: equal digests stay in order
    ordered = digests[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    duplicates = positions[order[~new]]
    if shares is None:
        return RangeResult(duplicates, {})
    firsts = positions[order[new]]
    codes = shares.codes(ordered[new])
    return RangeResult(duplicates, {split: firsts[codes == split] for split in EVALUATION})


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


def first_occurrences(results: Iterable[RangeResult], num_sentences: int) -> npt.NDArray[np.bool_]:
    """Return a mask that is true where no earlier sentence has the same digest."""
    first = np.ones(num_sentences, dtype=np.bool_)
    for result in results:
        first[result.duplicates] = False
    return first


def assign_splits(
    results: Iterable[RangeResult], sizes: Sequence[int], shares: Shares
) -> Assignment:
    """Drop duplicates and give every other sentence its split.

    A sentence's split depends on its digest alone. The cap keeps the smallest digests, so more
    text can push a sentence out of an evaluation split but never into another split.

    Args:
        results: of all ranges, the lowest digests first.
        sizes: sentences of each shard.
        shares: the same as for the results.
    """
    codes = np.full(sum(sizes), TRAIN, dtype=np.uint8)
    taken: dict[int, list[Positions]] = {split: [] for split in EVALUATION}
    room = dict.fromkeys(EVALUATION, shares.max_sentences)
    left_out = dict.fromkeys(EVALUATION, 0)
    for result in results:
        codes[result.duplicates] = DUPLICATE
        for split, positions in result.candidates.items():
            chosen, rest = positions[: room[split]], positions[room[split] :]
            codes[chosen], codes[rest] = split, LEFT_OUT
            taken[split].append(chosen)
            room[split] -= len(chosen)
            left_out[split] += len(rest)
    starts = shard_starts(sizes)
    order = {split: _places(starts, parts) for split, parts in taken.items()}
    return Assignment(by_shard(codes, sizes), order, left_out)


def shard_starts(sizes: Sequence[int]) -> Positions:
    """Return the position of each shard's first sentence, and the number of all at the end."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)


def by_shard(values: npt.NDArray[_Value], sizes: Sequence[int]) -> list[npt.NDArray[_Value]]:
    """Return the part of each shard; parts share the memory."""
    starts = shard_starts(sizes).tolist()
    return [values[start:end] for start, end in itertools.pairwise(starts)]


def _places(starts: Positions, parts: list[Positions]) -> npt.NDArray[np.int64]:
    positions = np.concatenate([np.zeros(0, dtype=np.int64), *parts])
    shards = np.searchsorted(starts, positions, side="right") - 1
    return np.stack([shards, positions - starts[shards]], axis=1)
