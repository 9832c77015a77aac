"""A seeded permutation of 0 .. n-1 that needs no table: any position is computed directly.

A keyed Feistel network permutes the next power of four; values outside the range are sent through
again until they fall inside (cycle walking), so the result is a bijection of the range itself.
"""

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
        self._half_bits = np.uint64(max(1, ((size - 1).bit_length() + 1) // 2))
        self._mask = np.uint64((1 << int(self._half_bits)) - 1)
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
        left, right = values >> self._half_bits, values & self._mask
        for key in self._round_keys:
            left, right = right, left ^ (_mix(right + key) & self._mask)
        return (left << self._half_bits) | right


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble 64 bits (the finaliser of the SplitMix64 generator)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
