"""A seeded permutation of 0 .. n-1 that needs no table: any position is computed directly.

A keyed Feistel network on a grid of about sqrt(n) by sqrt(n) cells: rows and columns are shifted
in turn by a keyed mix of the other coordinate. The grid holds hardly more than n cells; the few
values outside the range are sent through again until they fall inside (cycle walking), so that the
result is a bijection of the range itself, and its cost does not depend on n.
"""

import math

import numpy as np
import numpy.typing as npt

_ROUNDS = 8


class KeyedPermutation:
    """The permutation of range(n) that belongs to a key.

    Args:
        size: n, at least 1.
        key: any sequence of non-negative integers, for example (seed, pass number).
    """

    def __init__(self, size: int, key: tuple[int, ...]) -> None:
        if size < 1:
            raise ValueError(f"permutation: wanted a size of at least 1, got {size}")
        self.size = size
        rows = math.isqrt(size - 1) + 1
        self._rows, self._columns = np.uint64(rows), np.uint64(-(-size // rows))
        generator = np.random.default_rng(key)
        self._round_keys = generator.integers(0, 1 << 63, _ROUNDS, dtype=np.uint64)

    def __call__(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the elements at `positions`, each in [0, size)."""
        values = self._permute(positions.astype(np.uint64))
        outside = values >= self.size
        while outside.any():
            values[outside] = self._permute(values[outside])
            outside = values >= self.size
        return values.astype(np.int64)

    def _permute(self, values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        row, column = np.divmod(values, self._columns)
        for first, second in zip(self._round_keys[::2], self._round_keys[1::2], strict=True):
            row = (row + _mix(column + first) % self._rows) % self._rows
            column = (column + _mix(row + second) % self._columns) % self._columns
        return np.asarray(row * self._columns + column)


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble 64 bits (the finaliser of the SplitMix64 generator)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
