"""`compare.png`: matched words over steps and over time, and what every variant ends with.

A row of panels for each group. The rightmost panel names the variants in the colours and lines of
the others, so that no legend covers a curve.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rrnn_lit.evaluation.compare_results import Result, equal_seconds
from rrnn_lit.evaluation.compare_table import rows_of_groups
from rrnn_lit.whole_files import written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which colour-blind readers can tell apart, and one more
_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#7F6000",
    "#999999",
)
_FIRST = "black"
_LINES = ("-", "--", ":")
_WORDS, _EXACT = "matched_word_rate", "exact_sentence_rate"
_Style = dict[str, Any]


def write_figure(results: Sequence[Result], path: Path) -> None:
    """Draw the figure as a PNG, which is replaced by rename."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = rows_of_groups(results)
    heights = [1.6 + 0.26 * len(group) for group in groups.values()]
    figure = Figure(figsize=(13, 1.0 + sum(max(3.2, h) for h in heights)), layout="constrained")
    FigureCanvasAgg(figure)
    figures: Any = figure.subfigures(len(groups), 1, height_ratios=heights, squeeze=False)
    at = equal_seconds(results)
    for part, (title, group) in zip(figures[:, 0], groups.items(), strict=True):
        part.suptitle(title, fontsize=13)
        steps, time, final = part.subplots(1, 3, width_ratios=[1, 1, 1.15])
        looks = styles(group)
        _draw_curves(steps, group, looks, "step")
        _draw_curves(time, group, looks, "seconds")
        steps.set_xlabel("steps", fontsize=11)
        steps.set_ylabel("matched words of tune", fontsize=11)
        time.set_xlabel("seconds of training", fontsize=11)
        time.axvline(at, color="gray", linewidth=0.8, linestyle=":")
        _draw_final(final, group, looks)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as place:
        figure.savefig(place, format="png", dpi=110)


def styles(group: Sequence[Result]) -> list[_Style]:
    """Return colour and line of each variant: black for the first, which the others face.

    Networks of one cell share a colour; ablations, all of one cell, have one each.
    """
    looks: list[_Style] = []
    colours: dict[str, str] = {}
    seen: dict[str, int] = {}
    for number, result in enumerate(group):
        if number == 0:
            looks.append({"color": _FIRST, "linestyle": "-", "linewidth": 2.2})
            continue
        key = result.cell if result.group == "baseline" else result.name
        colour = colours.setdefault(key, _COLOURS[len(colours) % len(_COLOURS)])
        line = _LINES[seen.get(key, 0) % len(_LINES)]
        seen[key] = seen.get(key, 0) + 1
        looks.append({"color": colour, "linestyle": line, "linewidth": 1.5})
    return looks


def _draw_curves(
    axes: "Axes", group: Sequence[Result], looks: Sequence[_Style], name: str
) -> None:
    from matplotlib.ticker import PercentFormatter

    for result, look in zip(group, looks, strict=True):
        places = [0.0, *(float(getattr(point, name)) for point in result.curve)]
        words = [0.0, *(point.words for point in result.curve)]
        axes.plot(places, words, marker="o", markersize=3, **look)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(alpha=0.3)


def _draw_final(axes: "Axes", group: Sequence[Result], looks: Sequence[_Style]) -> None:
    """Draw words and exact sentences of test, a line a variant, the first on top."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import PercentFormatter

    for place, (result, look) in enumerate(zip(group, looks, strict=True)):
        words, exact = (result.rate("test", name) or 0.0 for name in (_WORDS, _EXACT))
        colour = look["color"]
        axes.plot([exact, words], [place, place], **{**look, "linewidth": 1.2})
        axes.plot([words], [place], "o", color=colour, markersize=7)
        axes.plot([exact], [place], "D", color=colour, markersize=5, markerfacecolor="white")
        axes.annotate(
            f"{words:.1%}", (words, place), (7, -3), textcoords="offset points", fontsize=9
        )
    axes.set_yticks(range(len(group)), [result.label for result in group], fontsize=10)
    for label, look in zip(axes.get_yticklabels(), looks, strict=True):
        label.set_color(look["color"])
    axes.set_ylim(len(group) - 0.4, -0.6)
    most = max(result.rate("test", _WORDS) or 0.0 for result in group)
    axes.set_xlim(0, min(1.12, 1.22 * most + 0.02))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("test, at the end", fontsize=11)
    axes.grid(alpha=0.3, axis="x")
    marks = {"words": ("o", "gray"), "exact sentences": ("D", "white")}
    handles = [
        Line2D([], [], marker=mark, color="gray", markerfacecolor=face, linestyle="", label=name)
        for name, (mark, face) in marks.items()
    ]
    axes.legend(
        handles=handles,
        fontsize=9,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=2,
        frameon=False,
    )
