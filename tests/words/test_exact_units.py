import numpy as np
import numpy.typing as npt
import pytest

from rrnn_lit.words.exact_units import cosines, shortened, units_of


def rows(seed: int, number: int, word_dim: int) -> npt.NDArray[np.float16]:
    generator = np.random.default_rng(seed)
    return (generator.standard_normal((number, word_dim)) * 0.05).astype(np.float16)


def test_directions_and_lengths_are_those_of_the_rows() -> None:
    stored = rows(0, 50, 30)
    units, norms = units_of(stored)
    np.testing.assert_allclose(norms, np.linalg.norm(stored.astype(np.float64), axis=1))
    np.testing.assert_allclose(units * norms[:, None], stored, atol=1e-6)  # a grid of 2^-20


def test_the_order_of_the_sum_changes_no_bit_of_a_cosine() -> None:
    units, _ = units_of(rows(1, 40, 300))
    order = np.random.default_rng(2).permutation(300)
    expected = np.zeros((40, 40))
    for k in order:  # one component after the other
        expected += units[:, k, None].astype(np.float64) * units[:, k].astype(np.float64)
    np.testing.assert_array_equal(cosines(units, units), expected)


@pytest.mark.parametrize("length", [1e-2, 1.0, 17.0])
def test_vectors_are_shortened_to_length_1_on_the_grid(length: float) -> None:
    vectors = np.random.default_rng(3).standard_normal((20, 8))
    vectors *= length / np.linalg.norm(vectors, axis=1, keepdims=True)
    units = shortened(vectors)
    np.testing.assert_allclose(units, vectors / length, atol=2e-4)  # 2^-19 of a short vector
    np.testing.assert_array_equal(units * 2.0**20, np.rint(units * 2.0**20))
