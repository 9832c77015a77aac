import numpy as np
import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped]

from rrnn_lit.evaluation.intervals import (
    Counts,
    difference,
    share_of_sentences,
    share_of_words,
    student_quantile,
    wilson,
)


def counts(*values: int) -> Counts:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(("part", "whole"), [(0, 7), (1, 1), (3, 10), (450, 905), (9990, 10000)])
def test_shares_of_sentences_are_wilsons(part: int, whole: int) -> None:
    wanted = binomtest(part, whole).proportion_ci(0.95, method="wilson")
    found = share_of_sentences(part, whole)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert found.value == part / whole


def test_wilson_by_hand() -> None:
    # E. B. Wilson's interval of 81 in 263 with z = 1.96, as in R. G. Newcombe (1998), table 1
    assert wilson(81, 263, 1.96) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_of_nothing_everything_is_possible() -> None:
    assert share_of_sentences(0, 0).high == 1.0
    found = share_of_words(counts(0, 0), counts(0, 0))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 1.0)
    assert difference(counts(0), counts(0), counts(0)).low == -1.0


def test_words_of_one_each_are_sentences_but_for_the_quantile() -> None:
    part = counts(*[1] * 30, *[0] * 20)
    found = share_of_words(part, np.ones_like(part))
    # the variance of the ratio divides by one less
    wanted = wilson(30 * 49 / 50, 49, student_quantile(49))
    assert (found.low, found.high) == pytest.approx(wanted, abs=1e-12)


def test_words_by_hand() -> None:
    # R = 12 / 20 = 0.6; residuals 2 - 3, 4 - 3, 6 - 6, 0 - 0 ... by hand: (-1, 1, 3, -3)
    found = share_of_words(counts(2, 4, 6, 0), counts(5, 5, 5, 5))
    variance = 4 / 3 * (1 + 1 + 9 + 9) / 400
    effective = 0.6 * 0.4 / variance
    assert effective == pytest.approx(3.6)
    assert student_quantile(3) == pytest.approx(3.182446, abs=1e-6)
    assert found.value == 0.6
    assert (found.low, found.high) == pytest.approx(wilson(2.16, 3.6, 3.182446), abs=1e-6)


def test_words_that_go_wrong_together_widen_the_interval() -> None:
    spread, together = counts(*[9] * 100), counts(*[10, 8] * 50)
    clustered = counts(*[10] * 90, *[0] * 10)
    whole = np.full(100, 10)
    widths = [e.high - e.low for e in (share_of_words(p, whole) for p in (together, clustered))]
    assert widths[0] < widths[1]
    # no variance at all is never more certain than so many independent words
    found = share_of_words(spread, whole)
    assert found.high - found.low == pytest.approx(np.ptp(wilson(90, 100, student_quantile(99))))


def test_sentences_without_such_words_say_nothing() -> None:
    part, whole = counts(3, 0, 5, 0, 1), counts(4, 0, 5, 0, 2)
    some = whole > 0
    assert share_of_words(part, whole) == share_of_words(part[some], whole[some])


@pytest.mark.parametrize("part", [0, 10])
def test_a_rate_at_the_end_has_an_interval_of_its_sentences(part: int) -> None:
    found = share_of_words(np.full(50, part), np.full(50, 10))
    low, high = wilson(part / 10 * 50, 50, student_quantile(49))
    assert (found.low, found.high) == (low, high)
    assert found.high - found.low > 0.05


def simulate(
    generator: np.random.Generator, num_sentences: int, rate: float, spread: float
) -> tuple[Counts, Counts]:
    """Sentences of 3 to 30 words whose own rates vary: beta-binomial counts."""
    whole = generator.integers(3, 31, num_sentences)
    rates = generator.beta(rate * spread, (1 - rate) * spread, num_sentences)
    return generator.binomial(whole, rates), whole


@pytest.mark.parametrize("spread", [1.0, 20.0])
@pytest.mark.parametrize(
    ("num_sentences", "rate"), [(40, 0.5), (40, 0.9), (400, 0.5), (400, 0.9), (400, 0.98)]
)
def test_words_are_covered_as_often_as_claimed(
    num_sentences: int, rate: float, spread: float
) -> None:
    generator = np.random.default_rng(7)
    held, repeats = 0, 1_000
    for _ in range(repeats):
        found = share_of_words(*simulate(generator, num_sentences, rate, spread))
        held += found.low <= rate <= found.high
    # 1,000 repeats of 95 % have a standard deviation of 0.7 %
    assert 0.925 <= held / repeats <= 0.97


def test_taking_words_as_independent_would_claim_too_much() -> None:
    generator = np.random.default_rng(8)
    held = 0
    for _ in range(400):
        part, whole = simulate(generator, 400, 0.9, 1.0)
        low, high = wilson(int(part.sum()), int(whole.sum()))
        held += low <= 0.9 <= high
    assert held / 400 < 0.7


def test_words_agree_with_a_bootstrap_over_sentences() -> None:
    generator = np.random.default_rng(9)
    part, whole = simulate(generator, 2_000, 0.9, 3.0)
    drawn = generator.integers(0, 2_000, (2_000, 2_000))
    rates = part[drawn].sum(axis=1) / whole[drawn].sum(axis=1)
    found = share_of_words(part, whole)
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(rates, [0.025, 0.975])), abs=0.1 * (found.high - found.low)
    )


def test_difference_of_sentences_is_bonetts_and_prices() -> None:
    # 100 sentences: 20 only the first has, 8 only the second, 40 both
    first = counts(*[1] * 20, *[0] * 8, *[1] * 40, *[0] * 32)
    second = counts(*[0] * 20, *[1] * 8, *[1] * 40, *[0] * 32)
    found = difference(first, second, np.ones_like(first))
    more, less = 21 / 102, 9 / 102
    error = ((more + less - (more - less) ** 2) / 102) ** 0.5
    wanted = (more - less - 1.959964 * error, more - less + 1.959964 * error)
    assert (found.part, found.whole, found.value) == (12, 100, 0.12)
    assert (found.low, found.high) == pytest.approx(wanted, abs=1e-6)


def test_a_difference_turns_round_with_its_sides() -> None:
    generator = np.random.default_rng(10)
    first, whole = simulate(generator, 60, 0.8, 5.0)
    second = generator.binomial(whole, 0.7)
    one, other = difference(first, second, whole), difference(second, first, whole)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_models_that_agree_everywhere_are_not_surely_equal() -> None:
    part, whole = counts(3, 5, 7), counts(4, 6, 7)
    found = difference(part, part, whole)
    assert found.value == 0
    assert found.low < 0 < found.high


@pytest.mark.parametrize("num_sentences", [60, 400])
def test_differences_are_covered_as_often_as_claimed(num_sentences: int) -> None:
    generator = np.random.default_rng(11)
    held, repeats = 0, 1_000
    for _ in range(repeats):
        whole = generator.integers(3, 31, num_sentences)
        # both have the same hard sentences
        rates = generator.beta(4.0, 1.0, num_sentences)
        first, second = generator.binomial(whole, rates), generator.binomial(whole, 0.95 * rates)
        found = difference(first, second, whole)
        held += found.low <= 0.05 * 0.8 <= found.high
    assert 0.93 <= held / repeats <= 0.975
