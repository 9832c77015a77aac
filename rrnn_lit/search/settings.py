"""The settings of a study beside its space: sampler, pruner, stopping, limits, curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, cast

from rrnn_lit.search.fields import Fields
from rrnn_lit.search.space import Dimension

# kind -> its keys
SAMPLERS = {"random": (), "tpe": ("startup_trials",), "qmc": (), "grid": ()}
PRUNERS = {
    "none": (),
    "asha": ("min_steps", "reduction_factor"),
    "median": ("startup_trials", "min_steps"),
    "hyperband": ("min_steps", "reduction_factor"),
}
_WHY_NOT = {
    "cmaes": "; CMA-ES keeps a pickle in the storage, which would run in every worker",
    "gp": "; it would import torch into every host and refit for every trial",
    "nsga": "; it is for several objectives, a study has one",
    "nsgaii": "; it is for several objectives, a study has one",
}


@dataclass(frozen=True)
class SamplerSettings:
    """Who draws; `startup_trials` is how many results TPE waits for, drawing at random."""

    kind: Literal["random", "tpe", "qmc", "grid"]
    startup_trials: int = 10


@dataclass(frozen=True)
class PrunerSettings:
    """Who ends bad trials early; steps are the run's, one is a batch.

    Attributes:
        kind: rule.
        min_steps: no trial ends before.
        reduction_factor: one of so many trials goes on to so many times the steps.
        startup_trials: results before the median is asked.
    """

    kind: Literal["none", "asha", "median", "hyperband"]
    min_steps: int = 1
    reduction_factor: int = 3
    startup_trials: int = 5


@dataclass(frozen=True)
class StopSettings:
    """When a study is done; None switches a rule off.

    Attributes:
        trials: results wanted, complete and pruned ones.
        hours: wall time of the study, after which no trial starts.
        target: value of the objective that is enough.
        patience: results in a row without a better best.
    """

    trials: int
    hours: float | None = None
    target: float | None = None
    patience: int | None = None


@dataclass(frozen=True)
class LimitSettings:
    """What a trial and a study may cost.

    Attributes:
        seconds: of one attempt of a trial; None for no limit.
        no_progress_seconds: without a new line in metrics.jsonl, after which a trial hangs.
        max_failures: failed trials before the sweep gives up.
    """

    seconds: float | None = None
    no_progress_seconds: float = 900.0
    max_failures: int = 20


@dataclass(frozen=True)
class CurveSettings:
    """A plot of the study: a figure over one option, a curve for every value of another.

    Attributes:
        x: dotted option on the axis.
        curve: dotted option with a curve for every value.
        panel: dotted option with a panel for every value; None for one panel.
        y: keys of metrics.jsonl, one row of panels each.
    """

    x: str
    curve: str
    panel: str | None
    y: tuple[str, ...]


def read_sampler(content: Any, space: Sequence[Dimension]) -> SamplerSettings:
    """Return who draws.

    Raises:
        ValueError: no such sampler, or a grid over something that is no list of values.
    """
    kind, fields = _kind(content, "sampler", SAMPLERS)
    if kind == "grid":
        _check_grid(space)
    return SamplerSettings(
        cast(Any, kind), fields.integer("startup_trials", 1, SamplerSettings.startup_trials)
    )


def read_pruner(content: Any, steps: int) -> PrunerSettings:
    """Return who ends bad trials; one that does anything needs its first step named.

    Raises:
        ValueError: no such pruner, or its first step is behind the last.
    """
    kind, fields = _kind(content, "pruner", PRUNERS)
    if kind == "none":
        return PrunerSettings("none")
    least = fields.integer("min_steps", 1)
    if least >= steps:
        raise ValueError(
            f"pruner.min_steps: wanted less than the {steps} of budget.steps, got {least}"
        )
    return PrunerSettings(
        cast(Any, kind),
        least,
        fields.integer("reduction_factor", 2, PrunerSettings.reduction_factor),
        fields.integer("startup_trials", 1, PrunerSettings.startup_trials),
    )


def read_stopping(
    content: Any, sampler: SamplerSettings, space: Sequence[Dimension]
) -> StopSettings:
    """Return when the study is done: a grid is after all its points, unless the file says else."""
    grid = prod(len(dimension.values) for dimension in space) if sampler.kind == "grid" else None
    fields = Fields(
        {} if content is None else content, "stopping", ("trials", "hours", "target", "patience")
    )
    trials = fields.integer("trials", 1) if grid is None else fields.integer("trials", 1, grid)
    return StopSettings(
        trials,
        fields.positive("hours", None),
        fields.number("target", None),
        fields.integer("patience", 1, None),
    )


def read_limits(content: Any) -> LimitSettings:
    """Return what a trial may cost."""
    fields = Fields(content, "limits", ("seconds", "no_progress_seconds", "max_failures"))
    return LimitSettings(
        fields.positive("seconds", None),
        fields.positive("no_progress_seconds", LimitSettings.no_progress_seconds),
        fields.integer("max_failures", 1, LimitSettings.max_failures),
    )


def read_curves(content: Any, space: Sequence[Dimension]) -> CurveSettings | None:
    """Return the plot of the study, None if it has none."""
    if content is None:
        return None
    fields = Fields(content, "curves", ("x", "curve", "panel", "y"))
    varied = [dimension.option for dimension in space]
    figures = fields.take("y")
    if (
        not isinstance(figures, list)
        or not figures
        or not all(isinstance(figure, str) and figure for figure in figures)
    ):
        raise ValueError(f"curves.y: wanted a list of figures, got {figures!r}")
    panel = fields.take("panel", None)
    return CurveSettings(
        fields.choice("x", varied),
        fields.choice("curve", varied),
        None if panel is None else fields.choice("panel", varied),
        tuple(figures),
    )


def _kind(content: Any, section: str, kinds: Mapping[str, tuple[str, ...]]) -> tuple[str, Fields]:
    """Return the kind a section names and the section, which has no keys of other kinds."""
    every = ("kind", *dict.fromkeys(key for keys in kinds.values() for key in keys))
    kind = Fields(content, section, every).take("kind")
    if not isinstance(kind, str) or kind not in kinds:
        why = _WHY_NOT.get(str(kind).lower(), "")
        raise ValueError(f"{section}.kind: wanted one of {', '.join(kinds)}, got {kind!r}{why}")
    for key in content:
        if key not in ("kind", *kinds[kind]):
            raise ValueError(f"{section}.{key}: wanted no such key for {kind}, got one")
    return kind, Fields(content, section, every)


def _check_grid(space: Sequence[Dimension]) -> None:
    for dimension in space:
        name = f"space.{dimension.option}"
        if dimension.distribution != "categorical":
            raise ValueError(
                f"{name}.distribution: wanted categorical for a grid, got {dimension.distribution}"
            )
        if dimension.published is not None:
            # it would take the number of the grid's first point
            raise ValueError(f"{name}.published: wanted none in a grid, which has all its points")
