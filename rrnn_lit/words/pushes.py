"""Pushes words apart on the sphere until no pair's cosine is above a target.

One round: every pair (i, j) above it asks to lengthen the difference of its two vectors,

    u_i + w (u_i - u_j)   and   u_j + w (u_j - u_i),
    w = (sqrt((1 + c) (1 - t) / ((1 - c) (1 + t))) - 1) / 2,

after which both at length 1 have exactly the cosine t, were they alone. A word of several pairs
takes half as much again as their mean, so that crowds do not overshoot. All words move at once.
A pull back to the original place was tried: it made the way a tenth shorter, took two to three
times as many rounds and kept fewer neighbours of the words moved.

The weights w are rounded up to a grid that is fine enough to end, and coarse enough for float64
to add them up exactly (see `exact_units`); so the result depends on no order of sums, and a list
of pairs gives what all pairs give.

Shapes: R rows in play, M of them movable, W word_dim, A and B rows of blocks, D directed pairs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.exact_units import GRID_BITS, Floats, Units, cosines, shortened

MOST_ROUNDS = 500
_ROWS, _COLUMNS = 256, 2_048
_PAIRS = 8_192
_STRONGEST_BITS = 3
_STRONGEST = float(1 << _STRONGEST_BITS)  # of w, where a difference is almost 0
_OVER = 1.5
_NUDGE_EVERY = 50  # rounds
_NUDGE, _NUDGE_KEY = 1e-3, 4

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pull:
    """What the pairs of some rows ask for.

    Attributes:
        first: first of the rows.
        total_A: sum of the weights of each row's pairs.
        partners_AW: the partners' vectors, weighted and added up.
        count_A: number of its pairs above the target.
        num_above: pairs of the rows above the larger cosine that ends the rounds.
    """

    first: int
    total_A: Floats
    partners_AW: Floats
    count_A: Ids
    num_above: int


class Pairs(Protocol):
    """The pairs that must not be above the target."""

    def pulls(self, units_RW: Units, target: float, enough: float) -> Iterator[Pull]:
        """Yield the pulls of all movable rows, block by block."""
        ...


class AllPairs:
    """Every pair of the rows, save those of two immovable ones; costs a matrix product a round.

    Args:
        num_movable: the rows before it move.
    """

    def __init__(self, num_movable: int) -> None:
        self._num_movable = num_movable

    def pulls(self, units_RW: Units, target: float, enough: float) -> Iterator[Pull]:
        """Yield the pulls of all movable rows, block by block."""
        bits = _weight_bits(len(units_RW))
        for start in range(0, self._num_movable, _ROWS):
            rows_AW = units_RW[start : min(start + _ROWS, self._num_movable)]
            total_A, count_A = np.zeros(len(rows_AW)), np.zeros(len(rows_AW), dtype=np.int64)
            partners_AW, num_above = np.zeros(rows_AW.shape), 0
            for first in range(0, len(units_RW), _COLUMNS):
                block_BW = units_RW[first : first + _COLUMNS]
                cosine_AB = cosines(rows_AW, block_BW)
                own = np.arange(max(start, first), min(start + len(rows_AW), first + _COLUMNS))
                own = own[own < len(units_RW)]
                cosine_AB[own - start, own - first] = -1.0
                num_above += int(np.count_nonzero(cosine_AB > enough))
                weight_AB = _weights(cosine_AB, target, bits)
                total_A += weight_AB.sum(axis=1)
                count_A += np.count_nonzero(weight_AB, axis=1)
                partners_AW += weight_AB @ block_BW.astype(np.float64)
            yield Pull(start, total_A, partners_AW, count_A, num_above)


class ListedPairs:
    """The pairs of a list.

    Args:
        first_P: a row of each pair.
        second_P: the other row.
        num_rows: rows in play.
        num_movable: the rows before it move.
    """

    def __init__(
        self,
        first_P: npt.NDArray[np.integer],
        second_P: npt.NDArray[np.integer],
        num_rows: int,
        num_movable: int,
    ) -> None:
        row_D = np.concatenate([first_P, second_P]).astype(np.int32)
        partner_D = np.concatenate([second_P, first_P]).astype(np.int32)
        order_D = np.argsort(row_D, kind="stable")
        self._row_D, self._partner_D = row_D[order_D], partner_D[order_D]
        self._num_rows, self._num_movable = num_rows, num_movable

    def pulls(self, units_RW: Units, target: float, enough: float) -> Iterator[Pull]:
        """Yield the pulls of all movable rows, block by block."""
        bits = _weight_bits(self._num_rows)
        for start in range(0, self._num_movable, _ROWS):
            stop = min(start + _ROWS, self._num_movable)
            total_A, count_A = np.zeros(stop - start), np.zeros(stop - start, dtype=np.int64)
            partners_AW, num_above = np.zeros((stop - start, units_RW.shape[1])), 0
            begin, end = np.searchsorted(self._row_D, [start, stop]).tolist()
            for at in range(begin, end, _PAIRS):
                part = slice(at, min(at + _PAIRS, end))
                row, partner = self._row_D[part], self._partner_D[part]
                cosine = _cosines_of_pairs(units_RW, row, partner)
                num_above += int(np.count_nonzero(cosine > enough))
                weight = _weights(cosine, target, bits)
                asks = weight > 0
                if not asks.any():
                    continue
                row, weight, partner = row[asks] - start, weight[asks], partner[asks]
                total_A += np.bincount(row, weight, minlength=len(total_A))
                count_A += np.bincount(row, minlength=len(count_A))
                begins = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
                pulled = weight[:, None] * units_RW[partner].astype(np.float64)
                partners_AW[row[begins]] += np.add.reduceat(pulled, begins, axis=0)
            yield Pull(start, total_A, partners_AW, count_A, num_above)


def _cosines_of_pairs(
    units_RW: Units, row: npt.NDArray[np.int32], partner: npt.NDArray[np.int32]
) -> Floats:
    products = units_RW[row].astype(np.float64) * units_RW[partner]
    return np.asarray(products.sum(axis=1))


def _weight_bits(num_partners: int) -> int:
    """Return how many bits behind the point still add up exactly over so many partners."""
    return 53 - GRID_BITS - _STRONGEST_BITS - num_partners.bit_length()


def _weights(cosine: Floats, target: float, bits: int) -> Floats:
    """Return w of each pair, 0 at the target and below, a multiple of 2^-bits."""
    weight = (1 + cosine) * ((1 - target) / (1 + target))
    weight /= np.maximum(1 - cosine, 1e-12)
    np.maximum(weight, 1.0, out=weight)
    np.sqrt(weight, out=weight)
    weight -= 1
    weight *= 2.0 ** (bits - 1)
    np.ceil(weight, out=weight)
    weight *= 2.0**-bits
    return np.minimum(weight, _STRONGEST, out=weight)


def push_apart(
    units_RW: Units,
    pairs: Pairs,
    target: float,
    enough: float,
    stop_at: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Units, int]:
    """Return the rows after as many rounds as it took, and the pairs left above `enough`.

    A pair is counted from both sides.

    Args:
        units_RW: rows of length 1 on the grid of `exact_units`, no pair exactly parallel.
        pairs: which must not be above the target, and which rows move.
        target: cosine that pairs above it are pushed to.
        enough: cosine above the target; the rounds end when no pair is above it.
        stop_at: end already when no more than this are left.
        progress: called with the rounds done since its last call.
    """
    left = 0
    for number in range(MOST_ROUNDS):
        left, moved_RW = 0, units_RW.copy()
        for pull in pairs.pulls(units_RW, target, enough):
            left += pull.num_above
            _move(units_RW, moved_RW, pull)
        progress(1)
        if left <= stop_at:
            return units_RW, left
        units_RW = moved_RW
        if number % _NUDGE_EVERY == _NUDGE_EVERY - 1:
            # crowds inside a plane push each other inside it only, where there may be no room
            pulls = pairs.pulls(moved_RW, target, enough)
            asking = np.concatenate([pull.first + np.flatnonzero(pull.count_A) for pull in pulls])
            units_RW[asking] = nudged(units_RW[asking], asking)
    return units_RW, left


def _move(units_RW: Units, moved_RW: Units, pull: Pull) -> None:
    """Write the rows that some pair asks to move."""
    asked = np.flatnonzero(pull.count_A)
    if not len(asked):
        return
    rows_AW = units_RW[pull.first + asked].astype(np.float64)
    count_A = pull.count_A[asked]
    share_A1 = (np.where(count_A > 1, _OVER, 1.0) / count_A)[:, None]
    away_AW = pull.total_A[asked, None] * rows_AW - pull.partners_AW[asked]
    moved_RW[pull.first + asked] = shortened(rows_AW + share_A1 * away_AW)


def nudged(units_NW: Units, keys_N: Ids) -> Units:
    """Return rows turned a little, each in a direction drawn from its own key."""
    noise_NW, num_dims = np.empty(units_NW.shape), units_NW.shape[1]
    for row, key in enumerate(keys_N.tolist()):
        # two numbers: the special vectors are drawn from one, and must not be the way out
        noise_NW[row] = np.random.default_rng((_NUDGE_KEY, key)).standard_normal(num_dims)
    scale = _NUDGE / np.sqrt(num_dims)
    return shortened(units_NW.astype(np.float64) + scale * noise_NW)
