"""Width transfer: a figure over a parameter, one curve a width, one panel a way of scaling.

Where the best points of all curves stand above each other, the parameter found at a small width
fits a large one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search import attributes
from rrnn_lit.search.options import flatten
from rrnn_lit.search.plot_panels import make_figure
from rrnn_lit.search.show import number_text
from rrnn_lit.search.space import options_of
from rrnn_lit.search.study_file import CurveSettings, Definition

_MOST_TICKS = 10


@dataclass(frozen=True)
class Point:
    """One trial in the picture.

    Attributes:
        x: value of the parameter.
        curve: value that tells the curves apart.
        panel: value that tells the panels apart; None where there is one panel.
        figures: key -> last value; empty for a trial that diverged.
    """

    x: float
    curve: Any
    panel: Any
    figures: dict[str, float]


def points_of(trials: Sequence[FrozenTrial], definition: Definition) -> list[Point]:
    """Return complete trials and those that failed with a loss that is not finite, by x.

    Options that the study does not search have one value, from its overrides or base config.
    """
    curves = definition.curves
    if curves is None:
        return []
    points = []
    for trial in trials:
        diverged = trial.user_attrs.get(attributes.REASON) == "nan"
        if trial.state is not TrialState.COMPLETE and not diverged:
            continue
        options = {
            **flatten(definition.base_options),
            **definition.overrides,
            **options_of(trial.params, definition.space),
        }
        figures = {} if diverged else dict(trial.user_attrs.get(attributes.FIGURES, {}))
        if not diverged and trial.value is not None:
            figures.setdefault(definition.metric, trial.value)
        panel = options.get(curves.panel) if curves.panel else None
        points.append(Point(float(options[curves.x]), options.get(curves.curve), panel, figures))
    return sorted(points, key=lambda point: point.x)


def is_better_high(key: str, definition: Definition) -> bool:
    """Return whether a large value of a figure is good."""
    if key == definition.metric:
        return definition.direction == "maximize"
    return not key.endswith("loss")


def best_point(points: Sequence[Point], key: str, definition: Definition) -> Point | None:
    """Return the point with the best finite value of a figure; of equal ones the first."""
    held = [p for p in points if math.isfinite(p.figures.get(key, math.nan))]
    if not held:
        return None
    choose = max if is_better_high(key, definition) else min
    return choose(held, key=lambda point: point.figures[key])


def width_transfer(points: Sequence[Point], definition: Definition) -> Any:
    """Return the picture: a row for each figure, a column for each panel."""
    curves = definition.curves
    assert curves is not None
    panels = _distinct((point.panel for point in points), curves.panel, definition)
    groups = _distinct((point.curve for point in points), curves.curve, definition)
    figure = make_figure(1.2 + 4.8 * len(panels), 0.8 + 3.6 * len(curves.y))
    grid = figure.subplots(len(curves.y), len(panels), squeeze=False, sharex=True, sharey="row")
    for row, key in enumerate(curves.y):
        for column, panel in enumerate(panels):
            axes = grid[row][column]
            held = [point for point in points if point.panel == panel]
            _draw(axes, held, groups, key, definition)
            if row == 0 and curves.panel is not None:
                axes.set_title(f"{curves.panel}: {panel}", fontsize=10)
            if row == len(curves.y) - 1:
                axes.set_xlabel(curves.x)
        grid[row][0].set_ylabel(key)
    _draw_legend(figure, grid[0][0], curves, any(not p.figures for p in points))
    return figure


def _distinct(values: Iterable[Any], option: str | None, definition: Definition) -> list[Any]:
    """Return every value once: choices in the order of the study file, numbers by size."""
    found = set(values)
    for dimension in definition.space:
        if dimension.option == option and dimension.values:
            return [value for value in dimension.values if value in found]
    return sorted(found) if len(found) > 1 else list(found)


def _draw(
    axes: Any, points: Sequence[Point], groups: Sequence[Any], key: str, definition: Definition
) -> None:
    import matplotlib

    colours = matplotlib.colormaps["viridis"]
    at_top = axes.get_xaxis_transform()
    for number, group in enumerate(groups):
        colour = colours(0.85 * number / max(1, len(groups) - 1))
        held = [point for point in points if point.curve == group]
        known = [p for p in held if math.isfinite(p.figures.get(key, math.nan))]
        axes.plot(
            [p.x for p in known],
            [p.figures[key] for p in known],
            "o-",
            markersize=4,
            color=colour,
            label=number_text(group),
        )
        best = best_point(known, key, definition)
        if best is not None:
            axes.plot(
                [best.x],
                [best.figures[key]],
                "*",
                markersize=15,
                color=colour,
                markeredgecolor="black",
                zorder=4,
            )
        lost = [p.x for p in held if not p.figures]
        # one height a curve: crosses of several widths at one learning rate stay apart
        height = 0.97 - 0.045 * number
        axes.plot(lost, [height] * len(lost), "x", color=colour, markersize=7, transform=at_top)
    _draw_scale(axes, sorted({point.x for point in points}))
    axes.margins(y=0.15)  # room for the crosses
    axes.grid(alpha=0.3)


def _draw_scale(axes: Any, values: Sequence[float]) -> None:
    """Make the horizontal axis logarithmic; the values of a grid are its ticks."""
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    if 1 < len(values) <= _MOST_TICKS:
        axes.set_xticks(values, labels=[number_text(value) for value in values], rotation=30)
        axes.xaxis.set_minor_locator(NullLocator())


def _draw_legend(figure: Any, axes: Any, curves: CurveSettings, diverged: bool) -> None:
    from matplotlib.lines import Line2D

    handles, labels = axes.get_legend_handles_labels()
    handles.append(
        Line2D(
            [], [], marker="*", linestyle="", color="0.5", markersize=12, markeredgecolor="black"
        )
    )
    labels.append("best")
    if diverged:
        handles.append(Line2D([], [], marker="x", linestyle="", color="0.3"))
        labels.append("diverged")
    figure.legend(handles, labels, title=curves.curve, loc="outside right upper", fontsize=9)
