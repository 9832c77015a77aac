"""Parallel coordinates: one line a trial through its parameters to its result."""

from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from rrnn_lit.search.parameter_scale import ParameterScale
from rrnn_lit.search.plot_panels import finite, make_figure, values_of
from rrnn_lit.search.show import number_text
from rrnn_lit.search.study_file import Definition


def parallel_coordinates(study: optuna.Study, definition: Definition) -> Any:
    """Return the picture; better trials are drawn over worse ones and in lighter colour."""
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    space = [d for d in definition.space if not d.optuna_distribution.single()]
    names = {d.name for d in space}
    trials = finite(study.get_trials(deepcopy=False), TrialState.COMPLETE)
    trials = [t for t in trials if names <= set(t.params)]
    scales = [ParameterScale(d.optuna_distribution) for d in space]
    values = np.array(values_of(trials))
    low, high = float(values.min()), float(values.max())
    is_max = definition.direction == "maximize"
    colours = matplotlib.colormaps["viridis" if is_max else "viridis_r"]
    norm = Normalize(low, high if high > low else low + 1)
    figure = make_figure(2.6 + 1.9 * len(space), 5.5)
    axes = figure.subplots()
    order = np.argsort(values if is_max else -values, kind="stable")
    for index in order:
        trial, value = trials[index], values[index]
        line = [s.place(trial.params[d.name]) for s, d in zip(scales, space, strict=True)]
        line.append((value - low) / (high - low) if high > low else 0.5)
        axes.plot(line, color=colours(norm(value)), alpha=0.75, linewidth=1.3)
    for place, scale in enumerate(scales):
        _draw_axis(axes, place, *scale.ticks())
    ends = np.linspace(low, high, 5) if high > low else np.array([low])
    _draw_axis(
        axes,
        len(space),
        [(e - low) / (high - low) if high > low else 0.5 for e in ends],
        [number_text(float(e), 4) for e in ends],
    )
    labels = [d.name + (" (log)" if s.is_log else "") for d, s in zip(space, scales, strict=True)]
    axes.set_xticks(range(len(space) + 1), [*labels, definition.metric], rotation=20, ha="right")
    axes.tick_params(length=0)
    axes.set_xlim(-0.15, len(space) + 0.35)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    figure.colorbar(ScalarMappable(norm, colours), ax=axes, label=definition.metric, pad=0.02)
    return figure


def _draw_axis(axes: Any, place: int, ticks: list[float], labels: list[str]) -> None:
    from matplotlib import patheffects

    axes.axvline(place, ymin=0.045, ymax=0.955, color="black", linewidth=1)
    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    for tick, label in zip(ticks, labels, strict=True):
        axes.plot([place, place + 0.03], [tick, tick], color="black", linewidth=1, zorder=4)
        axes.text(place + 0.05, tick, label, fontsize=8, va="center", zorder=5, path_effects=halo)
