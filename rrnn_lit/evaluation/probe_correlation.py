"""Correlation of similarities with human scores, and how sure it is.

Pearson's coefficient asks for a straight line, Spearman's only for the same order; equal values
share the mean of their ranks. The intervals are Fisher's: atanh(r) is almost normal, with variance
1 / (n - 3) for Pearson's and (1 + r^2 / 2) / (n - 3) for Spearman's (D. G. Bonett and
T. A. Wright, 2000). Both take the pairs as independent draws.
"""

import importlib
from dataclasses import dataclass
from math import atanh, sqrt, tanh

import numpy as np
import numpy.typing as npt

from rrnn_lit.evaluation.intervals import normal_quantile

Floats = npt.NDArray[np.float64]
_FEWEST = 4  # pairs; with fewer there is no interval


@dataclass(frozen=True)
class Correlation:
    """A coefficient with its confidence interval.

    Attributes:
        value: from -1 to 1; None when one side is constant or there are fewer than 2 pairs.
        low: lower end; None where there is no interval.
        high: upper end.
        num_pairs: pairs it is taken over.
    """

    value: float | None
    low: float | None
    high: float | None
    num_pairs: int


def pearson(first_B: Floats, second_B: Floats) -> Correlation:
    """Return the linear correlation of two lists of numbers."""
    return _with_interval(_coefficient(first_B, second_B), len(first_B), spread=0.0)


def spearman(first_B: Floats, second_B: Floats) -> Correlation:
    """Return the correlation of their ranks, the mean rank for equal numbers."""
    stats = importlib.import_module("scipy.stats")  # ships no types
    ranks = (np.asarray(stats.rankdata(side), dtype=np.float64) for side in (first_B, second_B))
    return _with_interval(_coefficient(*ranks), len(first_B), spread=0.5)


def _coefficient(first_B: Floats, second_B: Floats) -> float | None:
    # squares of very large or very small numbers would not fit
    scaled = [side / (np.abs(side).max(initial=0) or 1) for side in (first_B, second_B)]
    if len(first_B) < 2 or any(np.ptp(side) == 0 for side in scaled):
        return None
    sides = [side - side.mean() for side in scaled]
    one, other = (side / np.linalg.norm(side) for side in sides)
    return float(np.clip((one * other).sum(), -1, 1))


def _with_interval(value: float | None, num_pairs: int, spread: float) -> Correlation:
    if value is None or num_pairs < _FEWEST:
        return Correlation(value, None, None, num_pairs)
    if abs(value) > 1 - 1e-12:  # a perfect line has no spread that could be measured
        return Correlation(value, value, value, num_pairs)
    reach = normal_quantile() * sqrt((1 + spread * value * value) / (num_pairs - 3))
    return Correlation(value, tanh(atanh(value) - reach), tanh(atanh(value) + reach), num_pairs)
