"""Finds every pair of words whose cosine is above a threshold, block by block.

Shapes: V words, W word_dim, A and B rows of two blocks, P pairs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.exact_units import Floats, Units, cosines

ROWS_AT_ONCE, COLUMNS_AT_ONCE = 512, 4_096  # 16 MB of cosines
# above this cosine the difference of two vectors may be the rounding to the grid alone
_PARALLEL = 1 - 5e-6

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NearPairs:
    """Pairs above a threshold.

    Attributes:
        num_pairs: how many.
        largest: largest cosine of any pair looked at; -1 without pairs.
        first_P: lower word_id of each pair, int32; empty where the pairs were too many to keep.
        second_P: the higher one.
        is_complete: whether all of them were kept.
        in_pair_V: words that are in a pair.
        is_parallel_V: words that point the same way as another and have to be turned first.
    """

    num_pairs: int
    largest: float
    first_P: npt.NDArray[np.int32]
    second_P: npt.NDArray[np.int32]
    is_complete: bool
    in_pair_V: npt.NDArray[np.bool_]
    is_parallel_V: npt.NDArray[np.bool_]


def find_near_pairs(
    units_VW: Units,
    rows: Ids,
    num_movable: int,
    threshold: float,
    most: int,
) -> NearPairs:
    """Return the pairs of `rows` with all words.

    Args:
        units_VW: rows of length 1 on the grid of `exact_units`.
        rows: ascending ids below `num_movable`.
        num_movable: words from here on make no pairs with each other.
        threshold: a pair's cosine is above it.
        most: no more pairs than this are kept; all are counted.
    """
    found = _Found(len(units_VW), num_movable, threshold, most)
    is_row_V = np.zeros(len(units_VW), dtype=np.bool_)
    is_row_V[rows] = True
    for start in range(0, len(rows), ROWS_AT_ONCE):
        block_A = rows[start : start + ROWS_AT_ONCE]
        for first in range(0, len(units_VW), COLUMNS_AT_ONCE):
            block_B = np.arange(first, min(first + COLUMNS_AT_ONCE, len(units_VW)))
            # a pair of two rows is looked at once, in the row of the lower id
            skipped_B = is_row_V[block_B] & (block_B <= block_A[-1])
            if skipped_B.all() and block_B[-1] <= block_A[0]:
                continue
            cosine_AB = cosines(units_VW[block_A], units_VW[block_B])
            if skipped_B.any():
                cosine_AB[is_row_V[block_B] & (block_B <= block_A[:, None])] = -2.0
            found.add(block_A, first, cosine_AB)
    return found.result()


class _Found:
    def __init__(self, vocab_size: int, num_movable: int, threshold: float, most: int) -> None:
        self._num_movable, self._threshold, self._most = num_movable, threshold, most
        self._num_pairs, self._largest = 0, -1.0
        self._pairs: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]] = []
        self._in_pair_V = np.zeros(vocab_size, dtype=np.bool_)
        self._is_parallel_V = np.zeros(vocab_size, dtype=np.bool_)

    def add(self, block_A: Ids, first: int, cosine_AB: Floats) -> None:
        largest = float(cosine_AB.max())
        self._largest = max(self._largest, largest)
        if largest <= self._threshold:
            return
        near_AB = cosine_AB > self._threshold
        self._num_pairs += int(np.count_nonzero(near_AB))
        self._in_pair_V[block_A] |= near_AB.any(axis=1)
        self._in_pair_V[first : first + near_AB.shape[1]] |= near_AB.any(axis=0)
        if self._num_pairs <= self._most:
            row, column = np.nonzero(near_AB)
            second = (first + column).astype(np.int32)
            row_ids = block_A[row].astype(np.int32)
            self._pairs.append((np.minimum(row_ids, second), np.maximum(row_ids, second)))
        else:
            self._pairs.clear()
        if largest > _PARALLEL:
            self._mark_parallel(block_A, first, cosine_AB)

    def _mark_parallel(self, block_A: Ids, first: int, cosine_AB: Floats) -> None:
        row, column = np.nonzero(cosine_AB > _PARALLEL)
        self._is_parallel_V[block_A[row]] = True
        # all of them: one left in the middle of the others would be pushed from all sides alike
        self._is_parallel_V[first + column] = True
        self._is_parallel_V[self._num_movable :] = False

    def result(self) -> NearPairs:
        empty = np.empty(0, dtype=np.int32)
        return NearPairs(
            num_pairs=self._num_pairs,
            largest=self._largest,
            first_P=np.concatenate([empty, *(first for first, _ in self._pairs)]),
            second_P=np.concatenate([empty, *(second for _, second in self._pairs)]),
            is_complete=self._num_pairs <= self._most,
            in_pair_V=self._in_pair_V,
            is_parallel_V=self._is_parallel_V,
        )
