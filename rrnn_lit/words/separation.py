"""Separation: pushes word vectors of near-identical direction apart, as paper section 4 suggests.

The paper names digits, months and weekdays as words whose vectors are too close to be decoded
reliably, and leaves the remedy untried. Here every pair above a cosine threshold is pushed apart
until it is at most the threshold, in the space in which words are matched. Lengths are kept, words
without such a pair keep every bit, and so do the special labels.

Separated vectors are no longer what whitening makes of the raw ones: inverting the whitening gives
a raw vector near the word's own, not the word's own. The stored vectors are what counts.

Nothing is random but the way out of a shared direction, which depends on the row number alone. The
result depends on no number of threads.

Shapes: V words, W word_dim, R words in play.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.confusable import confusable_groups
from rrnn_lit.words.exact_units import Units, cosines, units_of
from rrnn_lit.words.near_pairs import NearPairs, find_near_pairs
from rrnn_lit.words.neighbours import NUM_NEIGHBOURS, neighbours_kept
from rrnn_lit.words.pushes import AllPairs, ListedPairs, Pairs, nudged, push_apart
from rrnn_lit.words.special import SPECIAL_LABELS

Mode = Literal["none", "groups", "all"]

# pushed so much further: rounding to 16 bits moves a cosine by less
_TARGET_SLACK, _ENOUGH_SLACK = 1e-3, 5e-4
_MOST_STORED_CHECKS = 50
# a product of all pairs is faster than a list with more than this share of them
_LISTED_SHARE = 0.02
_MOST_LISTED, _MANY = 1 << 27, 2_048
_SAMPLE = 500  # words looked at for their neighbours

Ids = npt.NDArray[np.int64]
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Separation:
    """Which pairs are pushed apart.

    Args:
        mode: none; groups: number words, months and weekdays, each among themselves; all: every
            pair of the dictionary.
        threshold: largest cosine that such a pair keeps, in [0, 1).
    """

    mode: Mode
    threshold: float

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            ValueError: names the option.
        """
        if self.mode not in get_args(Mode):
            raise ValueError(f"words.separation: wanted none, groups or all, got {self.mode!r}")
        if not 0 <= self.threshold < 1:
            raise ValueError(
                f"words.separation_threshold: wanted a cosine in [0, 1), got {self.threshold}"
            )


def separate(
    words: Sequence[str],
    vectors_VW: npt.NDArray[np.float16],
    separation: Separation,
    progress: Progress = lambda _: None,
) -> tuple[npt.NDArray[np.float16], dict[str, Any]]:
    """Return the vectors after separation, and figures about it.

    A second separation with the same settings changes nothing.

    Args:
        words: the dictionary in row order, special labels last.
        vectors_VW: its rows as they are stored, finite and not zero.
        separation: which pairs; not the mode none.
        progress: called with the rounds done since its last call.

    Returns:
        Rows, and: pairs above the threshold and largest cosine of the pairs concerned, each
        before and after; words moved, mean and largest angle of the moved ones in degrees; the
        mean share of a word's ten nearest words that are still among them, of moved and of other
        words, over at most 500 of each.

    Raises:
        ValueError: so many words find no place so far apart in this dimension.
    """
    work = _Work(words, np.array(vectors_VW), separation, progress)
    groups = confusable_groups(words) if separation.mode == "groups" else {}
    before = _pairs_of_groups(work, groups) if groups else _pairs_of_all(work)
    if groups:
        for word_ids in groups.values():
            _separate_group(work, word_ids)
    elif before.num_pairs:
        _separate_all(work, before)
    after = before
    if work.num_moved:
        after = _pairs_of_groups(work, groups) if groups else _pairs_of_all(work)
    report = {
        "mode": separation.mode,
        "threshold": separation.threshold,
        **({"words_of_groups": {k: len(ids) for k, ids in groups.items()}} if groups else {}),
        "pairs_above_threshold": {"before": before.num_pairs, "after": after.num_pairs},
        "largest_cosine": {
            "before": round(before.largest, 6),
            "after": round(after.largest, 6),
        },
        **work.movement(),
    }
    return work.stored_VW, report


class _Work:
    """The dictionary while it changes: rows as stored, and as units that follow from them."""

    def __init__(
        self,
        words: Sequence[str],
        stored_VW: npt.NDArray[np.float16],
        separation: Separation,
        progress: Progress,
    ) -> None:
        self.stored_VW, self.threshold, self.progress = stored_VW, separation.threshold, progress
        self.num_movable = len(words) - len(SPECIAL_LABELS)
        self.units_VW, self.norms_V = units_of(stored_VW)
        self._before_VW = self.units_VW.copy()

    @property
    def num_moved(self) -> int:
        return len(self._moved())

    def store(self, word_ids: Ids, units_RW: Units) -> Ids:
        """Take new directions over at the old lengths; return the words that changed."""
        rows_RW = (units_RW.astype(np.float64) * self.norms_V[word_ids, None]).astype(np.float16)
        changed: Ids = word_ids[(rows_RW != self.stored_VW[word_ids]).any(axis=1)]
        self.stored_VW[word_ids] = rows_RW
        self.units_VW[changed] = units_of(self.stored_VW[changed])[0]
        return changed

    def movement(self) -> dict[str, Any]:
        """Return how many words moved, how far, and what became of neighbourhoods."""
        moved, angle = self._moved(), np.zeros(0)
        if len(moved):
            pairs = self._before_VW[moved].astype(np.float64) * self.units_VW[moved]
            angle = np.degrees(np.arccos(np.clip(pairs.sum(axis=1), -1, 1)))
        others = np.setdiff1d(np.arange(self.num_movable), moved)
        figures: dict[str, Any] = {
            "words_moved": len(moved),
            "mean_angle_of_moved": round(float(angle.mean()), 3) if len(moved) else 0.0,
            "largest_angle": round(float(angle.max(initial=0.0)), 3),
        }
        kept = {}
        for name, word_ids in (("moved_words", moved), ("other_words", others)):
            sample = word_ids
            if len(word_ids) > _SAMPLE:
                sample = np.sort(np.random.default_rng(0).choice(word_ids, _SAMPLE, replace=False))
            number = min(NUM_NEIGHBOURS, len(self.units_VW) - 1)
            share = neighbours_kept(self._before_VW, self.units_VW, sample, number)
            kept[name] = None if share is None else round(share, 4)
        return {**figures, "share_of_10_neighbours_kept": kept}

    def _moved(self) -> Ids:
        changed = [
            start + np.flatnonzero((now != before).any(axis=1))
            for start in range(0, len(self.units_VW), 65_536)
            for now, before in [
                (self.units_VW[start : start + 65_536], self._before_VW[start : start + 65_536])
            ]
        ]
        return np.concatenate(changed)


def _pairs_of_all(work: _Work, rows: Ids | None = None, most: int | None = None) -> NearPairs:
    rows = np.arange(work.num_movable) if rows is None else rows
    return find_near_pairs(
        work.units_VW,
        rows,
        work.num_movable,
        work.threshold,
        _most_listed(len(work.units_VW)) if most is None else most,
    )


def _most_listed(num_words: int) -> int:
    return min(int(_LISTED_SHARE * num_words**2), _MOST_LISTED)


def _pairs_of_groups(work: _Work, groups: dict[str, Ids]) -> NearPairs:
    """Return the figures of the pairs inside the groups; the pairs themselves are not kept."""
    num_pairs, largest = 0, -1.0
    nothing_V, empty = np.zeros(0, dtype=np.bool_), np.empty(0, dtype=np.int32)
    for word_ids in groups.values():
        units_RW = work.units_VW[word_ids]
        cosine_P = cosines(units_RW, units_RW)[np.triu_indices(len(word_ids), 1)]
        num_pairs += int(np.count_nonzero(cosine_P > work.threshold))
        largest = max(largest, float(cosine_P.max(initial=-1.0)))
    return NearPairs(num_pairs, largest, empty, empty, False, nothing_V, nothing_V)


def _separate_group(work: _Work, word_ids: Ids) -> None:
    places, num_pairs = np.arange(len(word_ids)), 0
    for _ in range(_MOST_STORED_CHECKS):
        units_RW = work.units_VW[word_ids]
        found = find_near_pairs(units_RW, places, len(places), work.threshold, most=0)
        num_pairs = found.num_pairs
        if not num_pairs:
            return
        _push(work, word_ids, AllPairs(len(places)), np.flatnonzero(found.is_parallel_V))
    raise _no_room(work, len(word_ids), num_pairs)


def _separate_all(work: _Work, found: NearPairs) -> None:
    """Push apart, look which pairs came near meanwhile, and again."""
    known = (found.first_P, found.second_P)
    for _ in range(_MOST_STORED_CHECKS):
        word_ids = np.flatnonzero(found.in_pair_V)
        word_ids = np.union1d(word_ids, np.union1d(*known)) if found.is_complete else word_ids
        num_movable = int(np.searchsorted(word_ids, work.num_movable))
        pairs: Pairs = AllPairs(num_movable)
        most, stop_at = _most_listed(len(word_ids)), 0
        if found.is_complete and len(known[0]) <= most:
            first_P, second_P = (np.searchsorted(word_ids, ids) for ids in known)
            pairs = ListedPairs(first_P, second_P, len(word_ids), num_movable)
        elif len(word_ids) > _MANY:
            stop_at = most  # a list is faster from then on
        turned = np.searchsorted(word_ids, np.flatnonzero(found.is_parallel_V))
        changed = _push(work, word_ids, pairs, turned, stop_at)
        found = _pairs_of_all(work, changed)
        if not found.num_pairs:
            return
        known = _joined(known, found) if found.is_complete else known
    raise _no_room(work, int(found.in_pair_V.sum()), found.num_pairs)


def _joined(
    known: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]], found: NearPairs
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return known and found pairs, each once: a pair that was pushed apart must stay apart."""
    keys = np.union1d(
        known[0].astype(np.int64) << 32 | known[1],
        found.first_P.astype(np.int64) << 32 | found.second_P,
    )
    return (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32)


def _push(work: _Work, word_ids: Ids, pairs: Pairs, turned: Ids, stop_at: int = 0) -> Ids:
    """Push the words apart, store them and return those that changed.

    Args:
        work: changed.
        word_ids: words in play, ascending.
        pairs: of the places in `word_ids`.
        turned: places of words that point the same way as another.
        stop_at: pairs, each counted twice, that may be left.
    """
    target = max(work.threshold - _TARGET_SLACK, -0.5)
    enough = work.threshold - _ENOUGH_SLACK
    units_RW = work.units_VW[word_ids]
    units_RW[turned] = nudged(units_RW[turned], word_ids[turned])
    units_RW, left = push_apart(units_RW, pairs, target, enough, stop_at, work.progress)
    if left > stop_at:
        raise _no_room(work, len(word_ids), max(left // 2, 1))
    pushed = (units_RW != work.units_VW[word_ids]).any(axis=1)
    return work.store(word_ids[pushed], units_RW[pushed])


def _no_room(work: _Work, num_words: int, num_pairs: int) -> ValueError:
    return ValueError(
        f"words.separation_threshold: wanted a cosine that {num_words:,} near words of dimension "
        f"{work.units_VW.shape[1]} can keep, got {work.threshold}: {num_pairs:,} pairs stay above "
        "it; give a higher one"
    )
