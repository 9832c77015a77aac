"""Where the values of a parameter stand on an axis, and which of them are written there."""

import math
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from rrnn_lit.search.show import number_text

_MOST_TICKS = 6


class ParameterScale:
    """Places the values of a parameter on 0..1, by logarithm where it was drawn so.

    Choices stand at equal distances in their order.

    Args:
        distribution: what the parameter was drawn from.
    """

    def __init__(self, distribution: BaseDistribution) -> None:
        self._distribution = distribution
        self.is_log = bool(getattr(distribution, "log", False))

    def place(self, value: Any) -> float:
        """Return the place of a value."""
        kind = self._distribution
        if isinstance(kind, CategoricalDistribution):
            last = len(kind.choices) - 1
            return kind.choices.index(value) / last if last else 0.5
        assert isinstance(kind, FloatDistribution | IntDistribution)
        low, high, here = float(kind.low), float(kind.high), float(value)
        if self.is_log:
            low, high, here = math.log(low), math.log(high), math.log(here)
        return 0.5 if high == low else (here - low) / (high - low)

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return places and labels: choices, the points of a short grid, or round numbers."""
        values = self._values()
        return [self.place(value) for value in values], [number_text(v, 3) for v in values]

    def _values(self) -> list[Any]:
        kind = self._distribution
        if isinstance(kind, CategoricalDistribution):
            return list(kind.choices)
        assert isinstance(kind, FloatDistribution | IntDistribution)
        if self.is_log:
            return _powers(kind.low, kind.high)
        if kind.step and (kind.high - kind.low) / kind.step < _MOST_TICKS:
            number = round((kind.high - kind.low) / kind.step) + 1
            return [kind.low + kind.step * index for index in range(number)]
        return _round_numbers(kind.low, kind.high)


def _powers(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    powers = [10.0**power for power in range(first, last + 1)]
    if len(powers) < 2:
        return [low, math.sqrt(low * high), high]
    return powers[:: math.ceil(len(powers) / _MOST_TICKS)]


def _round_numbers(low: float, high: float) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    slack = 1e-9 * (high - low)
    ticks = MaxNLocator(nbins=_MOST_TICKS - 1).tick_values(low, high)
    return [float(tick) for tick in ticks if low - slack <= tick <= high + slack]
