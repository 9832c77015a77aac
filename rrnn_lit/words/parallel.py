"""Words whose vectors point exactly the same way: duplicates and positive multiples.

No decoder can tell such words apart, so none of them may count as nearer than another.

Shapes: V vocab_size, W word_dim.
"""

import numpy as np
import numpy.typing as npt

CHUNK_ROWS = 65_536


def parallel_groups(vectors_VW: npt.NDArray[np.float16]) -> list[npt.NDArray[np.int64]]:
    """Return the word_ids of every group of two or more parallel vectors, ascending.

    Zero vectors belong to no group. Exact: a row divided by its largest magnitude in float64 has
    the same bits for every positive multiple, because correctly rounded quotients of equal reals
    are equal.
    """
    hash_V = np.concatenate(
        [
            direction_hash(vectors_VW[i : i + CHUNK_ROWS])
            for i in range(0, len(vectors_VW), CHUNK_ROWS)
        ]
    )
    order_V = np.argsort(hash_V, kind="stable")
    sorted_V = hash_V[order_V]
    starts = np.flatnonzero(np.r_[True, sorted_V[1:] != sorted_V[:-1]])
    ends = np.r_[starts[1:], len(sorted_V)]
    groups: list[npt.NDArray[np.int64]] = []
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        groups.extend(_equal_directions(vectors_VW, np.sort(order_V[start:end])))
    return sorted(groups, key=lambda group: int(group[0]))


def _direction(rows: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    values = np.asarray(rows, dtype=np.float64)
    largest = np.abs(values).max(axis=1, keepdims=True)
    # + 0.0 turns a negative zero into the positive one
    return np.asarray(values / np.where(largest == 0, 1.0, largest) + 0.0)


def direction_hash(rows: npt.NDArray[np.float16]) -> npt.NDArray[np.uint64]:
    """Return a number per row, equal for parallel rows and almost always different for others."""
    bits = _direction(rows).view(np.uint64)
    generator = np.random.default_rng(0)
    factors_W = generator.integers(1, 1 << 63, bits.shape[1], dtype=np.uint64) | np.uint64(1)
    # the low bits of short float16 fractions are all zero: fold the high ones down first
    return np.asarray(((bits ^ (bits >> np.uint64(29))) * factors_W).sum(axis=1, dtype=np.uint64))


def _equal_directions(
    vectors_VW: npt.NDArray[np.float16], word_ids: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.int64]]:
    """Split words of equal hash into groups of truly equal direction."""
    by_direction: dict[bytes, list[int]] = {}
    for word_id, direction in zip(word_ids, _direction(vectors_VW[word_ids]), strict=True):
        if direction.any():
            by_direction.setdefault(direction.tobytes(), []).append(int(word_id))
    return [np.array(ids) for ids in by_direction.values() if len(ids) > 1]
