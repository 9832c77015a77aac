"""The space of a study: one dimension for every option that a sweep varies.

A dimension with `one_minus` is searched in its distance from 1, so that a decay of 0.999999 and
one of 0.99999 lie a decade apart. Its parameter in Optuna is `1-<option>`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, cast, get_args

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from rrnn_lit.search.fields import Fields, integer, is_finite, number, refuse_pointless

DistributionName = Literal[
    "uniform", "log_uniform", "int_uniform", "int_log_uniform", "categorical"
]
_STEPPED = ("uniform", "int_uniform")
_MOST_STEPS = 2**53  # a double tells no more apart
_MOST_PROBES = 10
_KEYS = ("distribution", "low", "high", "step", "values", "one_minus", "published")


@dataclass(frozen=True)
class Dimension:
    """One option of the run and where its values come from.

    Attributes:
        option: dotted name of the option.
        distribution: how values are drawn.
        low: smallest parameter, included; None if categorical.
        high: largest parameter, included; None if categorical.
        step: distance of neighbouring values; None for no grid.
        values: of a categorical dimension, in the order of the file; all have equal odds.
        one_minus: the parameter is 1 minus the option's value.
        published: the option's value in trial 0; None for no such value.
    """

    option: str
    distribution: DistributionName
    low: float | None = None
    high: float | None = None
    step: float | None = None
    values: tuple[Any, ...] = ()
    one_minus: bool = False
    published: Any = None

    @property
    def name(self) -> str:
        """The parameter's name in Optuna."""
        return f"1-{self.option}" if self.one_minus else self.option

    @property
    def is_log(self) -> bool:
        """Whether equal ratios have equal odds."""
        return self.distribution in ("log_uniform", "int_log_uniform")

    @property
    def optuna_distribution(self) -> BaseDistribution:
        """The same as Optuna's object."""
        if self.distribution == "categorical":
            return CategoricalDistribution(self.values)
        assert self.low is not None
        assert self.high is not None
        if self.distribution.startswith("int"):
            step = int(self.step or 1)
            return IntDistribution(int(self.low), int(self.high), log=self.is_log, step=step)
        return FloatDistribution(self.low, self.high, log=self.is_log, step=self.step)

    def value_of(self, parameter: Any) -> Any:
        """Return the option's value for a parameter of Optuna."""
        return 1 - parameter if self.one_minus else parameter

    def parameter_of(self, value: Any) -> Any:
        """Return the parameter for a value of the option; rounding does not leave the range."""
        if self.distribution == "categorical":
            return value
        assert self.low is not None
        assert self.high is not None
        parameter = 1 - value if self.one_minus else value
        for bound in (self.low, self.high):
            # 1 - 0.99 is a little more than 0.01
            if self.one_minus and math.isclose(parameter, bound, rel_tol=1e-9):
                return bound
        return parameter

    def as_settings(self) -> dict[str, Any]:
        """Return the dimension as a study file writes it."""
        settings: dict[str, Any] = {"distribution": self.distribution}
        for key in ("low", "high", "step", "published"):
            if getattr(self, key) is not None:
                settings[key] = getattr(self, key)
        if self.values:
            settings["values"] = list(self.values)
        if self.one_minus:
            settings["one_minus"] = True
        return settings


def suggest(trial: optuna.Trial, space: Sequence[Dimension]) -> dict[str, Any]:
    """Return the options of a trial: drawn, or what was stored when it was drawn before."""
    options: dict[str, Any] = {}
    for dimension in space:
        kind, name = dimension.optuna_distribution, dimension.name
        if isinstance(kind, CategoricalDistribution):
            parameter: Any = trial.suggest_categorical(name, kind.choices)
        elif isinstance(kind, IntDistribution):
            parameter = trial.suggest_int(name, kind.low, kind.high, step=kind.step, log=kind.log)
        else:
            kind = cast(FloatDistribution, kind)
            parameter = trial.suggest_float(
                name, kind.low, kind.high, step=kind.step, log=kind.log
            )
        options[dimension.option] = dimension.value_of(parameter)
    return options


def options_of(params: Mapping[str, Any], space: Sequence[Dimension]) -> dict[str, Any]:
    """Return the options for the parameters of a stored trial, which may lack some."""
    return {
        dimension.option: dimension.value_of(params[dimension.name])
        for dimension in space
        if dimension.name in params
    }


def published_params(space: Sequence[Dimension]) -> dict[str, Any] | None:
    """Return the published values as parameters of Optuna; None if the study has none."""
    if any(dimension.published is None for dimension in space):
        return None
    return {dimension.name: dimension.parameter_of(dimension.published) for dimension in space}


def extremes(space: Sequence[Dimension]) -> list[dict[str, Any]]:
    """Return options of a few runs that have the ends of every range and the values of every list.

    Of a long list the first values stand for all.
    """
    probes = {dimension.option: _probes(dimension) for dimension in space}
    runs = max(map(len, probes.values()))
    return [
        {option: values[run % len(values)] for option, values in probes.items()}
        for run in range(runs)
    ]


def _probes(dimension: Dimension) -> list[Any]:
    kind = dimension.optuna_distribution
    if isinstance(kind, CategoricalDistribution):
        return list(kind.choices[:_MOST_PROBES])
    ends = cast(FloatDistribution | IntDistribution, kind)
    return [dimension.value_of(ends.low), dimension.value_of(ends.high)]


def make_dimension(option: str, settings: Any) -> Dimension:
    """Return the dimension that a study file describes.

    Args:
        option: dotted name of the option.
        settings: what the file says about it.

    Raises:
        ValueError: names the key, what was wanted and what was got.
    """
    fields = Fields(settings, f"space.{option}", _KEYS)
    kind = cast(DistributionName, fields.choice("distribution", get_args(DistributionName)))
    _refuse_foreign(fields, settings, kind)
    if kind == "categorical":
        dimension = Dimension(option, kind, values=_values(fields))
    else:
        dimension = _range(fields, option, kind)
    published = fields.take("published", None)
    if published is None:
        return dimension
    _check_published(dimension, published, fields.path("published"))
    return Dimension(**{**vars(dimension), "published": published})


def _refuse_foreign(fields: Fields, settings: Mapping[str, Any], kind: str) -> None:
    used = {"distribution", "published"}
    if kind == "categorical":
        used |= {"values"}
    else:
        used |= {"low", "high"}
        used |= {"step"} if kind in _STEPPED else set()
        used |= set() if kind.startswith("int") else {"one_minus"}
    for key in settings:
        if key not in used:
            raise ValueError(f"{fields.path(key)}: wanted no such key for {kind}, got one")


def _values(fields: Fields) -> tuple[Any, ...]:
    values, name = fields.take("values"), fields.path("values")
    if not isinstance(values, list) or not values:
        raise ValueError(f"{name}: wanted a list of at least one value, got {values!r}")
    for place, value in enumerate(values):
        refuse_pointless(value, name)
        if isinstance(value, int | float) and not is_finite(value):
            raise ValueError(f"{name}: wanted finite numbers, got {value}")
        if value is not None and not isinstance(value, bool | int | float | str):
            raise ValueError(f"{name}: wanted numbers, texts, true, false or null, got {value!r}")
        if value in values[:place]:
            raise ValueError(f"{name}: wanted every value once, got {value!r} again")
    return tuple(values)


def _range(fields: Fields, option: str, kind: DistributionName) -> Dimension:
    read = integer if kind.startswith("int") else number
    low = read(fields.take("low"), fields.path("low"))
    high = read(fields.take("high"), fields.path("high"))
    step = fields.take("step", None)
    one_minus = fields.flag("one_minus", False)
    if low >= high:
        raise ValueError(f"{fields.path('low')}: wanted low < high, got {low} and {high}")
    if not is_finite(high - low):
        raise ValueError(
            f"{fields.path('low')}: wanted a finite distance to high, got {low} and {high}"
        )
    if kind in ("log_uniform", "int_log_uniform") and low <= 0:
        raise ValueError(f"{fields.path('low')}: wanted more than 0 for a logarithm, got {low}")
    if one_minus and not (low > 0 and high < 1):
        raise ValueError(
            f"{fields.path('one_minus')}: wanted low and high between 0 and 1, both left out, "
            f"got {low} and {high}"
        )
    if step is not None:
        step = read(step, fields.path("step"))
        _check_step(low, high, step, fields.path("step"))
    return Dimension(option, kind, low, high, step, one_minus=one_minus)


def _check_step(low: float, high: float, step: float, name: str) -> None:
    if step <= 0:
        raise ValueError(f"{name}: wanted a number above 0, got {step}")
    if Fraction(high) - Fraction(low) > _MOST_STEPS * Fraction(step):
        raise ValueError(
            f"{name}: wanted at most {_MOST_STEPS} steps to {high}, got steps of {step}"
        )
    if not _on_grid(high, low, step):
        raise ValueError(f"{name}: wanted a step that leads from {low} to {high}, got {step}")


def _on_grid(value: float, low: float, step: float) -> bool:
    # as people write them: 0.3 is three steps of 0.1
    return (Fraction(str(value)) - Fraction(str(low))) % Fraction(str(step)) == 0


def _check_published(dimension: Dimension, value: Any, name: str) -> None:
    if dimension.distribution == "categorical":
        if not any(value == other and type(value) is type(other) for other in dimension.values):
            wanted = ", ".join(map(str, dimension.values))
            raise ValueError(f"{name}: wanted one of {wanted}, got {value!r}")
        return
    read = integer if dimension.distribution.startswith("int") else number
    parameter = dimension.parameter_of(read(value, name))
    assert dimension.low is not None
    assert dimension.high is not None
    if not dimension.low <= parameter <= dimension.high:
        low, high = sorted(map(dimension.value_of, (dimension.low, dimension.high)))
        raise ValueError(f"{name}: wanted a value from {low} to {high}, got {value}")
    if dimension.step is not None and not _on_grid(parameter, dimension.low, dimension.step):
        raise ValueError(
            f"{name}: wanted {dimension.low} and steps of {dimension.step}, got {value}"
        )
