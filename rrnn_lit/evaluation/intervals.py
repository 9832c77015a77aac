"""How sure a rate is: confidence intervals of counts over sentences.

Sentences are drawn independently, words are not: a sentence that has gone wrong is wrong in
several places. So words are counted by sentence, and a sentence is what is drawn. With m_b of
sentence b's n_b words matched and R = sum m / sum n, the variance of R over B sentences is that
of a ratio,

    B / (B - 1) * sum (m_b - R n_b)^2 / (sum n)^2

(W. G. Cochran, Sampling Techniques, 1977, section 6.3). The interval is Wilson's for as many
independent words as would have this variance, which keeps it inside [0, 1] and sound near its
ends, where rates of this kind lie. With n_b = 1 it is Wilson's of the sentences but for Student's
quantile. Where errors are both rare and crowded in few sentences, some 100 sentences are too few
for it: of intervals claimed at 95 %, 82 % to 92 % hold the rate (simulated, 2 % wrong words).

Shapes: B sentences.
"""

import importlib
from dataclasses import dataclass
from functools import cache
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A share, or a difference of shares, with its confidence interval.

    Attributes:
        part: what is counted; of a difference, the first's part minus the second's.
        whole: among how many.
        value: part / whole; 0 of nothing.
        low: lower end of the interval.
        high: upper end.
    """

    part: int
    whole: int
    value: float
    low: float
    high: float


def wilson(part: float, whole: float, quantile: float | None = None) -> tuple[float, float]:
    """Return Wilson's score interval of `part` successes in `whole` independent trials.

    Args:
        part: successes, 0 to `whole`.
        whole: trials; of none, everything is possible: (0, 1).
        quantile: of the distribution of the error; None for the normal one at `LEVEL`.
    """
    if whole <= 0:
        return 0.0, 1.0
    z = normal_quantile() if quantile is None else quantile
    rate, weight = part / whole, z * z / whole
    centre = (rate + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * sqrt(rate * (1 - rate) / whole + weight / (4 * whole))
    # at the ends only rounding keeps the two apart
    low = 0.0 if rate == 0 else centre - reach
    high = 1.0 if rate == 1 else centre + reach
    return max(0.0, low), min(1.0, high)


def share_of_sentences(part: int, whole: int) -> Estimate:
    """Return the share of sentences that have a property."""
    return Estimate(part, whole, part / max(whole, 1), *wilson(part, whole))


def share_of_words(part_B: Counts, whole_B: Counts) -> Estimate:
    """Return the share of words that have a property, from each sentence's counts.

    A rate of exactly 0 or 1 shows no variance; then each sentence counts as one observation.

    Args:
        part_B: words with the property.
        whole_B: words, at least `part_B`; sentences without any are left out.
    """
    counted_B = whole_B > 0
    part_B, whole_B = part_B[counted_B], whole_B[counted_B]
    part, whole, num_sentences = int(part_B.sum()), int(whole_B.sum()), len(whole_B)
    rate = part / max(whole, 1)
    quantile = student_quantile(num_sentences - 1) if num_sentences > 1 else None
    residual = float(np.square(part_B - rate * whole_B).sum())
    if num_sentences < 2 or residual < 1e-12 * whole:
        effective = float(num_sentences)
    else:
        variance = num_sentences / (num_sentences - 1) * residual / whole**2
        # never more sure than so many independent words
        effective = min(float(whole), rate * (1 - rate) / variance)
    return Estimate(part, whole, rate, *wilson(rate * effective, effective, quantile))


def difference(first_B: Counts, second_B: Counts, whole_B: Counts) -> Estimate:
    """Return first's share minus second's, of the same words in the same sentences.

    Paired: what is hard for both cancels. Before the interval is taken, one more sentence is added
    in which the first is better by one and one in which the second is, so that two models which
    agree everywhere are not called equal for certain; of whole sentences this is the interval of
    D. G. Bonett and R. M. Price (2012).

    Args:
        first_B: count of the first in each sentence.
        second_B: count of the second.
        whole_B: among how many, the same for both.
    """
    gain_B = (first_B - second_B).astype(np.float64)
    gain, whole = int(gain_B.sum()), int(whole_B.sum())
    if not whole:
        return Estimate(0, 0, 0.0, -1.0, 1.0)
    mean = whole / len(whole_B)
    gain_B = np.concatenate([gain_B, [1.0, -1.0]])
    all_B = np.concatenate([whole_B.astype(np.float64), [mean, mean]])
    centre = gain_B.sum() / all_B.sum()
    error = sqrt(float(np.square(gain_B - centre * all_B).sum())) / float(all_B.sum())
    reach = normal_quantile() * error
    return Estimate(gain, whole, gain / whole, max(-1.0, centre - reach), min(1.0, centre + reach))


def normal_quantile() -> float:
    """Return how many standard deviations hold `LEVEL` of a normal distribution."""
    return NormalDist().inv_cdf((1 + LEVEL) / 2)


@cache
def student_quantile(freedom: int) -> float:
    """Return the same for Student's distribution with so many degrees of freedom, at least 1."""
    special = importlib.import_module("scipy.special")  # ships no types
    return float(special.stdtrit(freedom, (1 + LEVEL) / 2))
