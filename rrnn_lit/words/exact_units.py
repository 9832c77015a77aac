"""Unit vectors on a grid on which float64 adds products without rounding.

Every component is a multiple of 2^-20. A product of two then is a multiple of 2^-40, and a sum of
them stays below 2^13: 53 bits hold it exactly. So a cosine has the same bits whatever the order
of the sum is, and a matrix product may use any library and any number of threads.

Shapes: N rows, A and B rows of two blocks, W word_dim.
"""

import numpy as np
import numpy.typing as npt

GRID_BITS = 20
_GRID = float(1 << GRID_BITS)
# of vectors before they are brought to length 1: up to 2^7 long, their squares add up exactly too
_ROUGH_GRID = float(1 << 19)

Units = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def units_of(rows_NW: npt.NDArray[np.float16]) -> tuple[Units, Floats]:
    """Return stored rows at length 1 on the grid, float32 (N, W), and their lengths (N,).

    Args:
        rows_NW: finite rows, none of them zero.
    """
    units_NW = np.empty(rows_NW.shape, dtype=np.float32)
    norms_N = np.empty(len(rows_NW))
    for start in range(0, len(rows_NW), 4_096):
        block = slice(start, start + 4_096)
        values = rows_NW[block].astype(np.float64)
        norms_N[block] = np.sqrt(np.square(values).sum(axis=1))
        units_NW[block] = np.rint(values / norms_N[block, None] * _GRID) / _GRID
    return units_NW, norms_N


def shortened(vectors_NW: Floats) -> Units:
    """Return vectors, none of them zero and none longer than 2^7, at length 1 on the grid."""
    rough_NW = np.rint(vectors_NW * _ROUGH_GRID) / _ROUGH_GRID
    norms_N1 = np.sqrt(np.square(rough_NW).sum(axis=1, keepdims=True))
    units_NW: Units = (np.rint(rough_NW / norms_N1 * _GRID) / _GRID).astype(np.float32)
    return units_NW


def cosines(units_AW: Units, units_BW: Units) -> Floats:
    """Return the cosine of every pair, (A, B), exact for these rows."""
    return np.asarray(units_AW.astype(np.float64) @ units_BW.astype(np.float64).T)
