import numpy as np
import pytest

from rrnn_lit.evaluation.probes import (
    Method,
    cosines,
    interpolate,
    paired_cosines,
    unit_vectors,
)

RIGHT, UP = np.array([2.0, 0.0]), np.array([0.0, 4.0])


def test_cosines_by_hand_whatever_the_lengths() -> None:
    first = np.array([[3.0, 0.0], [0.0, 0.0]], dtype=np.float16)
    second = np.array([[5.0, 0.0], [-1.0, 0.0], [1.0, 1.0]])
    expected = [[1, -1, np.sqrt(0.5)], [0, 0, 0]]  # zeros are like nothing
    np.testing.assert_allclose(cosines(first, second), expected, rtol=1e-6)
    np.testing.assert_allclose(paired_cosines(first[[0, 0]], second[1:]), [-1, 0.5**0.5], 1e-6)


def test_large_half_precision_numbers_keep_their_length() -> None:
    large = np.full((1, 8), 60_000, dtype=np.float16)
    np.testing.assert_allclose(np.linalg.norm(unit_vectors(large)), 1, rtol=1e-6)


def test_linear_way_by_hand() -> None:
    share, vectors = interpolate(RIGHT, UP, 3)
    np.testing.assert_allclose(share, [0, 0.5, 1])
    np.testing.assert_allclose(vectors, [[2, 0], [1, 2], [0, 4]])


def test_spherical_way_turns_evenly_and_changes_length_evenly() -> None:
    _, vectors = interpolate(RIGHT, UP, 4, "spherical")
    angles = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    np.testing.assert_allclose(angles, [0, 30, 60, 90], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [2, 8 / 3, 10 / 3, 4])


@pytest.mark.parametrize("method", ["linear", "spherical"])
def test_both_ends_are_the_vectors_themselves(method: Method) -> None:
    first, second = np.random.default_rng(0).standard_normal((2, 50)).astype(np.float32)
    _, vectors = interpolate(first, second, 5, method)
    np.testing.assert_allclose(vectors[[0, -1]], [first, second], rtol=1e-6, atol=1e-9)


def test_spherical_between_equal_directions_is_linear() -> None:
    np.testing.assert_allclose(
        interpolate(RIGHT, 3 * RIGHT, 3, "spherical")[1], interpolate(RIGHT, 3 * RIGHT, 3)[1]
    )


@pytest.mark.parametrize(
    ("second", "steps", "method", "message"),
    [
        (UP, 1, "linear", "steps: wanted 2 or more, got 1"),
        (UP, 3, "round", "method: wanted linear or spherical, got 'round'"),
        (-RIGHT, 3, "spherical", "method: wanted linear for opposite vectors"),
        (0 * UP, 3, "spherical", "method: wanted linear for a vector of zeros"),
    ],
)
def test_ways_that_there_are_not(
    second: np.ndarray[tuple[int], np.dtype[np.float64]], steps: int, method: Method, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        interpolate(RIGHT, second, steps, method)
