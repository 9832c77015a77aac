"""The pictures of a report, each drawn into a figure of its own without pyplot.

Narrow, with few panels below each other, so that they stay readable on a phone. Colours are those
of Okabe and Ito, which the colour-blind tell apart.
"""

import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from rrnn_lit.evaluation.intervals import Estimate
from rrnn_lit.evaluation.report_numbers import FIGURES

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_WIDTH, _DPI = 4.8, 180
_FEWEST = 20  # words of a place that say something about it
_CURVES = (
    ("matched_words", "-", "matched words"),
    ("exact_sentences", "--", "exact sentences"),
)
_MOST_LEGEND = 34  # characters of a name that a legend has room for
Columns = Sequence[dict[str, Any]]


def draw_pictures(content: dict[str, Any]) -> dict[str, bytes]:
    """Return the pictures as PNG by name.

    Args:
        content: of the report, see `report_content.py`.
    """
    columns = content["columns"]
    draw: dict[str, Callable[[Columns], Any]] = {
        "by_length": by_length,
        "by_position": by_position,
        "by_frequency": by_frequency,
        "by_category": by_category,
    }
    if len(columns) > 1:
        draw = {"side_by_side": side_by_side, **draw}
    return {name: _png(make(columns)) for name, make in draw.items()}


def by_length(columns: Columns) -> Any:
    """Return matched words and exact sentences over the length, the paper's Figure 3."""
    figure = _make_figure(5.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    for number, column in enumerate(columns):
        rows = column["by_length"]
        lengths = [row["longest"] for row in rows]
        for shade, (key, style, label) in enumerate(_CURVES):
            colour = _colour(shade if len(columns) == 1 else number)
            _band(upper, lengths, [row[key] for row in rows], colour, style, label)
    _share_axis(upper)
    upper.set_ylim(0, 1.02)
    if len(columns) == 1:
        upper.legend(fontsize=8, loc="lower left")
    else:
        styles = [_line("0.3", style, label) for _, style, label in _CURVES]
        _legend(figure, columns, styles)
    rows = columns[0]["by_length"]
    counts = [row["exact_sentences"].whole for row in rows]
    lower.bar([row["longest"] for row in rows], counts, color="0.6")
    lower.set_ylabel("sentences")
    lower.set_xlabel("words of the sentence, EOS included")
    lower.xaxis.get_major_locator().set_params(integer=True)
    return figure


def by_position(columns: Columns) -> Any:
    """Return the share of wrong words over the place, counted from both ends."""
    figure = _make_figure(5.6)
    panels = figure.subplots(2, 1, sharey=True)
    ends = (
        ("from_start", "place of the word, counted from the first"),
        ("from_end", "place of the word, counted back from EOS, which is 0"),
    )
    for axes, (key, label) in zip(panels, ends, strict=True):
        for number, column in enumerate(columns):
            rows = [row for row in column[key] if row["wrong"].whole >= _FEWEST]
            places, wrong = [row["position"] for row in rows], [row["wrong"] for row in rows]
            _band(axes, places, wrong, _colour(number), "-", column["name"])
        _share_axis(axes)
        axes.set_ylabel("wrong words")
        axes.set_xlabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)
    # a little more than nothing, or the markers of places without errors would be cut
    panels[0].set_ylim(bottom=-0.03 * panels[0].get_ylim()[1])
    _legend(figure, columns)
    return figure


def by_frequency(columns: Columns) -> Any:
    """Return the share of matched words over how often a word occurs in train."""
    figure = _make_figure(3.8)
    axes = figure.subplots()
    for number, column in enumerate(columns):
        rows = column["by_frequency"]
        estimates = [row["matched"] for row in rows]
        axes.errorbar(
            [row["mean"] for row in rows],
            [estimate.value for estimate in estimates],
            yerr=_reach(estimates),
            color=_colour(number),
            marker="o",
            markersize=4,
            linewidth=1.2,
            capsize=2,
        )
    axes.set_xscale("log")
    axes.set_xlabel("occurrences of the word in train")
    axes.set_ylabel("matched")
    _share_axis(axes)
    axes.set_ylim(-0.02, 1.02)
    _legend(figure, columns)
    return figure


def by_category(columns: Columns) -> Any:
    """Return the share of wrong words of each category."""
    names = [row["category"] for row in columns[0]["by_category"]]
    figure = _make_figure(1.2 + len(names) * (0.32 + 0.16 * len(columns)))
    axes = figure.subplots()
    height = 0.8 / len(columns)
    for number, column in enumerate(columns):
        estimates = [row["wrong"] for row in column["by_category"]]
        places = [i + (number - (len(columns) - 1) / 2) * height for i in range(len(names))]
        held = [(place, e) for place, e in zip(places, estimates, strict=True) if e.whole]
        axes.barh(
            [place for place, _ in held],
            [estimate.value for _, estimate in held],
            height,
            xerr=_reach([estimate for _, estimate in held]),
            color=_colour(number),
            error_kw={"elinewidth": 1, "ecolor": "0.3"},
        )
        if len(columns) == 1:
            for place, e in held:
                text = f"{e.part:,} of {e.whole:,}"
                axes.annotate(
                    text,
                    (e.high, place),
                    (4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("wrong words of the category")
    _share_axis(axes, "x")
    axes.margins(x=0.2 if len(columns) == 1 else 0.02)
    axes.set_xlim(left=0)
    _legend(figure, columns)
    return figure


def side_by_side(columns: Columns) -> Any:
    """Return every figure of every column with its interval."""
    figure = _make_figure(1.2 + len(FIGURES) * (0.25 + 0.17 * len(columns)))
    axes = figure.subplots()
    step = 0.7 / len(columns)
    for number, column in enumerate(columns):
        estimates = [column["figures"][figure_.key] for figure_ in FIGURES]
        axes.errorbar(
            [estimate.value for estimate in estimates],
            [i + (number - (len(columns) - 1) / 2) * step for i in range(len(FIGURES))],
            xerr=_reach(estimates),
            fmt="o",
            markersize=5,
            capsize=3,
            color=_colour(number),
        )
    axes.set_yticks(range(len(FIGURES)), [figure_.title for figure_ in FIGURES])
    axes.set_ylim(len(FIGURES) - 0.5, -0.5)
    _share_axis(axes, "x")
    _legend(figure, columns)
    return figure


def _legend(figure: Any, columns: Columns, more: Sequence[Any] = ()) -> None:
    """Name the colours of the columns below the panels, where no curve runs; not of one alone."""
    if len(columns) == 1:
        return
    lines = [_line(_colour(i), "-", _short(c["name"])) for i, c in enumerate(columns)]
    figure.legend(
        handles=[*lines, *more], fontsize=8, loc="outside lower center", frameon=False, ncols=2
    )


def _line(colour: str, style: Any, label: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=style, label=label, linewidth=2)


def _make_figure(height: float) -> Any:
    """Return an empty figure, `height` inches high, that belongs to nobody else."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Any) -> bytes:
    file = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # in the name of a model
        # a date and a version of matplotlib would make equal pictures differ
        figure.savefig(file, dpi=_DPI, metadata={"Software": None})
    return file.getvalue()


def _band(
    axes: Any, places: list[int], estimates: list[Estimate], colour: str, style: str, label: str
) -> None:
    axes.plot(
        places,
        [estimate.value for estimate in estimates],
        style,
        color=colour,
        marker="o",
        markersize=3,
        linewidth=1.4,
        label=label,
    )
    lows, highs = [e.low for e in estimates], [e.high for e in estimates]
    axes.fill_between(places, lows, highs, color=colour, alpha=0.18, linewidth=0)


def _reach(estimates: list[Estimate]) -> list[list[float]]:
    """Return the two rows of lengths that error bars want."""
    return [
        [max(0.0, e.value - e.low) for e in estimates],
        [max(0.0, e.high - e.value) for e in estimates],
    ]


def _share_axis(axes: Any, which: str = "y") -> None:
    from matplotlib.ticker import PercentFormatter

    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _short(name: str) -> str:
    # a $ would begin a formula
    text = name if len(name) <= _MOST_LEGEND else f"...{name[3 - _MOST_LEGEND :]}"
    return text.replace("$", r"\$")
