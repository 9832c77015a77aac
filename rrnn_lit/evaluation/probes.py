"""What can be done with sentence vectors as they are: compare them, walk between them.

Nothing here knows how the vectors were made.

Shapes: B sentences, Q queries, S sentence_vector_size.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.floating]
Floats = npt.NDArray[np.float64]
Method = Literal["linear", "spherical"]

_SAME_DIRECTION = 1e-6  # radians


def unit_vectors(vectors_BS: Vectors) -> npt.NDArray[np.float32]:
    """Return vectors at length 1; a vector of zeros stays as it is and is like nothing."""
    values = vectors_BS.astype(np.float64)
    # squares of large float16 or float32 numbers fit, tiny ones are not lost
    lengths_B1 = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(lengths_B1 > 0, lengths_B1, 1.0), dtype=np.float32)


def cosines(first_QS: Vectors, second_BS: Vectors) -> npt.NDArray[np.float32]:
    """Return the cosine of every pair, (Q, B); 0 with a vector of zeros."""
    return np.asarray(unit_vectors(first_QS) @ unit_vectors(second_BS).T)


def paired_cosines(first_BS: Vectors, second_BS: Vectors) -> Floats:
    """Return the cosine of each row with the same row of the other, (B,)."""
    products = unit_vectors(first_BS).astype(np.float64) * unit_vectors(second_BS)
    return np.asarray(products.sum(axis=1))


def interpolate(
    first_S: Vectors, second_S: Vectors, steps: int, method: Method = "linear"
) -> tuple[Floats, Floats]:
    """Return shares of the way (N,) and the vectors there (N, S), both ends included.

    Args:
        first_S: start, at share 0.
        second_S: end, at share 1.
        steps: number of vectors N, at least 2.
        method: linear follows the straight line, on which vectors get shorter; spherical turns
            the direction at constant speed and changes the length evenly.

    Raises:
        ValueError: fewer than 2 steps; spherical between a vector and its opposite, or from or to
            a vector of zeros, which have no direction between them.
    """
    if steps < 2:
        raise ValueError(f"steps: wanted 2 or more, got {steps}")
    share_N = np.linspace(0, 1, steps)
    first, second = first_S.astype(np.float64), second_S.astype(np.float64)
    if method == "linear":
        return share_N, (1 - share_N)[:, None] * first + share_N[:, None] * second
    if method != "spherical":
        raise ValueError(f"method: wanted linear or spherical, got {method!r}")
    return share_N, _spherical(first, second, share_N)


def _spherical(first: Floats, second: Floats, share_N: Floats) -> Floats:
    lengths = np.linalg.norm(first), np.linalg.norm(second)
    if not min(lengths) > 0:
        raise ValueError("method: wanted linear for a vector of zeros, got spherical")
    start, end = first / lengths[0], second / lengths[1]
    # the arc cosine would lose small angles
    angle = 2 * np.arctan2(np.linalg.norm(start - end), np.linalg.norm(start + end))
    if angle > np.pi - _SAME_DIRECTION:
        raise ValueError("method: wanted linear for opposite vectors, got spherical")
    weights = 1 - share_N, share_N
    if angle > _SAME_DIRECTION:
        weights = (
            np.sin(weights[0] * angle) / np.sin(angle),
            np.sin(weights[1] * angle) / np.sin(angle),
        )
    length_N = (1 - share_N) * lengths[0] + share_N * lengths[1]
    return np.asarray(
        length_N[:, None] * (weights[0][:, None] * start + weights[1][:, None] * end)
    )
