"""Whitening: per dimension `v' = (v - mean) * factor`, with `factor = target / std`.

The paper is silent; the author's implementation whitens inputs, targets and dictionary alike to
standard deviation 0.05 (decision D-10). Dimensions are scaled one by one and not decorrelated.

Shapes: V vocab_size, W word_dim, N words of a block.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.arrays import map_array

WHITENING_FILE = "whitening.npy"
_BLOCK = 16_384  # rows turned into float64 at once


@dataclass(frozen=True)
class Whitening:
    """An invertible scaling of each dimension.

    Args:
        mean: what is subtracted, float64 of shape (W,).
        factor: what the rest is multiplied with, float64 of shape (W,), never 0.
    """

    mean: npt.NDArray[np.float64]
    factor: npt.NDArray[np.float64]

    @classmethod
    def to_std(
        cls, mean_W: npt.NDArray[np.float64], std_W: npt.NDArray[np.float64], target: float
    ) -> "Whitening":
        """Return the whitening after which each dimension has mean 0 and this deviation.

        Raises:
            ValueError: a dimension is constant, so that no factor can widen it.
        """
        if not (std_W > 0).all():
            constant = int(np.argmin(std_W > 0))
            raise ValueError(
                "words.scaling: whiten wants word vectors that vary in every dimension, "
                f"dimension {constant} is constant; use unit or none"
            )
        return cls(mean_W, target / std_W)

    @classmethod
    def identity(cls, word_dim: int) -> "Whitening":
        """Return the whitening that changes nothing."""
        return cls(np.zeros(word_dim), np.ones(word_dim))

    def apply(self, raw_VW: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return vectors of the raw space in the whitened space."""
        return np.asarray((raw_VW - self.mean) * self.factor, dtype=np.float64)

    def invert(self, vectors_VW: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return whitened vectors, decoded ones for example, in the raw space."""
        return np.asarray(vectors_VW / self.factor + self.mean, dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write `whitening.npy`: float64 of shape (2, W), mean and factor."""
        np.save(folder / WHITENING_FILE, np.stack([self.mean, self.factor]), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Whitening":
        """Read what `save` wrote.

        Raises:
            ValueError: the file is missing, damaged, or its numbers cannot be inverted.
        """
        path = folder / WHITENING_FILE
        values = map_array(path, "<f8", 2)
        if len(values) != 2 or not (np.isfinite(values).all() and values[1].all()):
            raise ValueError(
                f"{path}: wanted two rows of finite numbers, the second without 0, "
                f"got others of shape {values.shape}"
            )
        mean, factor = np.array(values)
        return cls(mean, factor)


def weighted_statistics(
    vectors_VW: npt.NDArray[np.float32], weights_V: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and standard deviation per dimension, each row counted `weights_V` times.

    Sums run block by block in float64 and in row order, so the result does not depend on the
    machine's free memory. A matrix product would be faster, but its last bit moves with the
    number of BLAS threads.
    """
    total = float(weights_V.sum())
    blocks = _blocks(vectors_VW, weights_V)
    mean_W = sum((weights_N1 * rows).sum(axis=0) for rows, weights_N1 in blocks) / total
    blocks = _blocks(vectors_VW, weights_V)
    squares_W = sum((weights_N1 * (rows - mean_W) ** 2).sum(axis=0) for rows, weights_N1 in blocks)
    return np.asarray(mean_W), np.sqrt(np.asarray(squares_W / total))


def _blocks(
    vectors_VW: npt.NDArray[np.float32], weights_V: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    for start in range(0, len(vectors_VW), _BLOCK):
        block = slice(start, start + _BLOCK)
        yield vectors_VW[block].astype(np.float64), weights_V[block, None].astype(np.float64)
