import math

import numpy as np
import pytest

from rrnn_lit.evaluation.probe_correlation import pearson, spearman

FIRST = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


def test_pearson_by_hand() -> None:
    # deviations -2 -1 0 1 2 and -2 0 -1 1 2: products sum to 9, squares to 10 each
    found = pearson(FIRST, np.array([1.0, 3.0, 2.0, 4.0, 5.0]))
    assert found.value == pytest.approx(0.9)
    assert found.num_pairs == 5
    reach = 1.959964 / math.sqrt(2)
    assert found.low == pytest.approx(math.tanh(math.atanh(0.9) - reach), rel=1e-6)
    assert found.high == pytest.approx(math.tanh(math.atanh(0.9) + reach), rel=1e-6)


def test_spearman_sees_the_order_only() -> None:
    second = np.array([1.0, 3.0, 2.0, 40.0, 5_000.0])
    found = spearman(FIRST, second)
    assert found.value == pytest.approx(0.9)
    assert pearson(FIRST, second).value == pytest.approx(0.7117, abs=1e-3)
    reach = 1.959964 * math.sqrt((1 + 0.81 / 2) / 2)
    assert found.low == pytest.approx(math.tanh(math.atanh(0.9) - reach), rel=1e-6)


def test_equal_values_share_their_mean_rank() -> None:
    # ranks 1 2.5 2.5 4 against 1 2 3 4: products of deviations 4.5, squares 4.5 and 5
    found = spearman(np.array([0.0, 7.0, 7.0, 9.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.value == pytest.approx(4.5 / math.sqrt(4.5 * 5))


def test_intervals_hold_the_true_correlation_about_as_often_as_they_say() -> None:
    generator, held = np.random.default_rng(0), 0
    for _ in range(400):
        first = generator.standard_normal(30)
        second = 0.6 * first + 0.8 * generator.standard_normal(30)
        found = pearson(first, second)
        assert found.low is not None
        assert found.high is not None
        held += found.low < 0.6 < found.high
    assert 0.92 < held / 400 < 0.98


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0], None),
        ([1.0], [2.0], None),
        ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0], 0.5),
    ],
)
def test_without_spread_or_with_few_pairs_there_is_no_interval(
    first: list[float], second: list[float], value: float | None
) -> None:
    for function in (pearson, spearman):
        found = function(np.array(first), np.array(second))
        assert found.value == (None if value is None else pytest.approx(value))
        assert found.low is found.high is None


@pytest.mark.parametrize("factor", [1e308, 1e-320])
def test_sizes_of_numbers_do_not_matter(factor: float) -> None:
    second = np.array([-1.0, 1.0, 0.5, 0.25])
    found = pearson(FIRST[:4], second * factor)
    assert found.value == pytest.approx(pearson(FIRST[:4], second).value, abs=1e-3)


def test_a_perfect_line_is_an_interval_of_one_point() -> None:
    found = pearson(FIRST, -3 * FIRST)
    assert found.value == pytest.approx(-1)
    assert found.low == found.value == found.high
