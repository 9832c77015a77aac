"""The pictures of a study, each drawn into a figure of its own.

Drawn without pyplot: it keeps figures and a style for the whole process. Colours are viridis,
which stays readable in grey and for the colour-blind.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search.parameter_scale import ParameterScale
from rrnn_lit.search.show import objective_of
from rrnn_lit.search.study_file import Definition

PRUNED_COLOUR, FAILED_COLOUR, BEST_COLOUR = "0.6", "tab:red", "tab:orange"
_MAP = "viridis"


def make_figure(width: float, height: float) -> Any:
    """Return an empty figure, in inches, that belongs to nobody else."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def finite(trials: Sequence[FrozenTrial], state: TrialState) -> list[FrozenTrial]:
    """Return the trials of a state that have a finite value."""
    chosen = [(t, objective_of(t)) for t in trials if t.state is state]
    return [t for t, value in chosen if value is not None and math.isfinite(value)]


def values_of(trials: Sequence[FrozenTrial]) -> list[float]:
    """Return their values; for trials of `finite`."""
    return [float(objective_of(t) or 0.0) for t in trials]


def history(study: optuna.Study, definition: Definition) -> Any:
    """Return every result over the trial's number, and the best so far as a line."""
    trials = study.get_trials(deepcopy=False)
    complete = finite(trials, TrialState.COMPLETE)
    pruned = finite(trials, TrialState.PRUNED)
    failed = [t.number for t in trials if t.state is TrialState.FAIL]
    figure = make_figure(9, 5)
    axes = figure.subplots()
    numbers, values = [t.number for t in complete], np.array(values_of(complete))
    keep_best = np.maximum if definition.direction == "maximize" else np.minimum
    best = keep_best.accumulate(values)
    axes.step(
        [*numbers, trials[-1].number],
        [*best, best[-1]],
        where="post",
        color=BEST_COLOUR,
        label="best so far",
    )
    axes.plot(numbers, values, "o", color="tab:blue", markersize=5, label="complete")
    if pruned:
        places, last = [t.number for t in pruned], values_of(pruned)
        axes.plot(places, last, "x", color=PRUNED_COLOUR, label="pruned, last value")
    if failed:
        at_foot = axes.get_xaxis_transform()
        axes.plot(
            failed,
            [0.02] * len(failed),
            "|",
            color=FAILED_COLOUR,
            markersize=12,
            transform=at_foot,
            label="failed",
        )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("trial")
    axes.set_ylabel(f"{definition.metric} ({definition.direction})")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def learning_curves(study: optuna.Study, definition: Definition) -> Any:
    """Return the objective over the steps of every trial that reported it."""
    trials = [t for t in study.get_trials(deepcopy=False) if t.intermediate_values]
    complete = finite(trials, TrialState.COMPLETE)
    reverse = definition.direction == "maximize"
    ranked = sorted(complete, key=lambda t: values_of([t])[0], reverse=reverse)
    figure = make_figure(9, 5)
    axes = figure.subplots()
    others = {
        TrialState.PRUNED: (PRUNED_COLOUR, "--", "pruned"),
        TrialState.FAIL: (FAILED_COLOUR, ":", "failed"),
        TrialState.COMPLETE: ("tab:blue", "-", "complete"),
        TrialState.RUNNING: ("tab:green", "-", "running"),
        TrialState.WAITING: ("tab:green", ":", "waiting to go on"),
    }
    named = set()
    for trial in trials:
        colour, style, label = others[trial.state]
        is_best = bool(ranked) and trial.number == ranked[0].number
        if is_best:
            colour, label = BEST_COLOUR, f"best: trial {trial.number}"
        steps = sorted(trial.intermediate_values)
        values = [trial.intermediate_values[step] for step in steps]
        axes.plot(
            steps,
            values,
            style,
            color=colour,
            marker=".",
            markersize=4,
            alpha=1.0 if is_best else 0.6,
            linewidth=2.2 if is_best else 1.0,
            zorder=3 if is_best else 2,
            label=None if label in named else label,
        )
        named.add(label)
    axes.set_xlabel("steps")
    axes.set_ylabel(definition.metric)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def slices(study: optuna.Study, definition: Definition) -> Any:
    """Return the result over each parameter, one panel each; later trials are lighter."""
    trials = study.get_trials(deepcopy=False)
    complete = finite(trials, TrialState.COMPLETE)
    pruned = finite(trials, TrialState.PRUNED)
    columns = min(3, len(definition.space))
    rows = math.ceil(len(definition.space) / columns)
    figure = make_figure(4.2 * columns + 0.8, 3.6 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    points = None
    for axes, dimension in zip(
        panels.flat[: len(definition.space)], definition.space, strict=True
    ):
        scale = ParameterScale(dimension.optuna_distribution)
        for group, marker, size in ((pruned, "x", 22), (complete, "o", 26)):
            held = [t for t in group if dimension.name in t.params]
            places = [scale.place(t.params[dimension.name]) for t in held]
            colours = (
                {"c": [t.number for t in held], "cmap": _MAP}
                if marker == "o"
                else {"color": PRUNED_COLOUR}
            )
            drawn = axes.scatter(places, values_of(held), s=size, marker=marker, **colours)
            points = drawn if marker == "o" else points
        axes.set_xticks(*scale.ticks())
        axes.set_xlim(-0.05, 1.05)
        axes.set_xlabel(dimension.name + (" (log)" if scale.is_log else ""))
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    for axes in list(panels.flat)[len(definition.space) :]:
        axes.set_visible(False)
    figure.supylabel(definition.metric, fontsize=10)
    if points is not None:
        figure.colorbar(points, ax=panels, label="trial", shrink=0.8)
    return figure


def importances(study: optuna.Study, definition: Definition) -> Any:
    """Return how much each parameter decided who was among the best (PED-ANOVA)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental; few trials: the number is in the title
        found = optuna.importance.get_param_importances(study)
    names = sorted(found, key=lambda name: (found[name], name))
    figure = make_figure(9, 1.6 + 0.4 * len(names))
    axes = figure.subplots()
    bars = axes.barh(names, [found[name] for name in names], color="tab:blue")
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.margins(x=0.1)
    complete = finite(study.get_trials(deepcopy=False), TrialState.COMPLETE)
    axes.set_title(f"share of importance, from {len(complete)} complete trials", fontsize=10)
    return figure
