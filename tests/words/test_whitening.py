from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.words.whitening import Whitening, weighted_statistics

RAW = np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 20.0]], dtype=np.float32)


def test_statistics_weigh_words_by_their_occurrences() -> None:
    weights = np.array([1, 0, 3])
    mean, std = weighted_statistics(RAW, weights)
    repeated = np.repeat(RAW, weights, axis=0)
    np.testing.assert_allclose(mean, repeated.mean(axis=0))
    np.testing.assert_allclose(std, repeated.std(axis=0))


def test_many_blocks_equal_one_sum() -> None:
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((40_000, 3)).astype(np.float32)
    weights = generator.integers(0, 9, 40_000)
    mean, std = weighted_statistics(rows, weights)
    repeated = np.repeat(rows.astype(np.float64), weights, axis=0)
    np.testing.assert_allclose(mean, repeated.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(std, repeated.std(axis=0), rtol=1e-9)


def test_statistics_are_added_row_by_row() -> None:
    # a matrix product adds in an order that depends on the number of BLAS threads
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((2_000, 5)).astype(np.float32)
    weights = generator.integers(1, 9, 2_000)
    total, squares = np.zeros(5), np.zeros(5)
    for weight, row in zip(weights, rows.astype(np.float64), strict=True):
        total += weight * row
    mean = total / weights.sum()
    for weight, row in zip(weights, rows.astype(np.float64), strict=True):
        squares += weight * (row - mean) ** 2
    got_mean, got_std = weighted_statistics(rows, weights)
    np.testing.assert_array_equal(got_mean, mean)
    np.testing.assert_array_equal(got_std, np.sqrt(squares / weights.sum()))


def test_whitened_by_hand() -> None:
    whitening = Whitening.to_std(np.array([1.0, 10.0]), np.array([2.0, 5.0]), 0.5)
    np.testing.assert_allclose(whitening.apply(RAW), np.array([[0, 0], [0.5, 2.0], [1.0, 1.0]]))


def test_inverse_after_storing_leads_back(tmp_path: Path) -> None:
    whitening = Whitening.to_std(*weighted_statistics(RAW, np.ones(3, dtype=np.int64)), 0.05)
    whitening.save(tmp_path)
    loaded = Whitening.load(tmp_path)
    np.testing.assert_allclose(loaded.invert(whitening.apply(RAW)), RAW, rtol=1e-12)
    stored = np.load(tmp_path / "whitening.npy")
    assert stored.shape == (2, 2)
    assert stored.dtype == np.float64


def test_identity_changes_nothing() -> None:
    np.testing.assert_array_equal(Whitening.identity(2).apply(RAW), RAW)


def test_a_constant_dimension_cannot_be_whitened() -> None:
    with pytest.raises(ValueError, match="dimension 1 is constant"):
        Whitening.to_std(np.zeros(2), np.array([1.0, 0.0]), 0.05)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 3)),  # cannot be inverted
        np.full((2, 3), np.nan),
        np.ones((3, 3)),
        np.ones((2, 3), dtype=np.float32),
        np.ones(6),
    ],
)
def test_a_file_of_other_numbers_is_refused_by_name(
    tmp_path: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> None:
    np.save(tmp_path / "whitening.npy", values, allow_pickle=False)
    with pytest.raises(ValueError, match="whitening.npy: wanted "):
        Whitening.load(tmp_path)
