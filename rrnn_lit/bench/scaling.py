"""`rrnn bench CASE --scale`: how the cost grows with each size, beside what the model predicts.

One size at a time grows, the others stay as the options say. Drawn are ours, its main peer, the
floor of the cost model for this machine (dotted) and the prediction (dashed): the floor times the
factor by which ours misses it where all sizes are as given. Ours above the dashed line means that
something grows faster than the arithmetic.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rrnn_lit.bench.result import Row, write_rows

# case -> options that grow
AXES = {
    "step": ("hidden_size", "batch_size", "vocab_size"),
    "match": ("vocab_size", "rows", "word_dim"),
    "rnn": ("hidden_size", "num_steps", "batch_size"),
}
FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0)
# case -> options for the main peer alone
_MAIN: dict[str, dict[str, Any]] = {
    "step": {"peers": "naive port", "adam": False},
    "match": {"peers": "naive", "kind": "mixed"},
    "rnn": {"peers": "autograd loop", "lengths": "equal"},
}
_COLOURS = ("tab:blue", "tab:red", "tab:orange", "tab:purple")


@dataclass(frozen=True)
class Point:
    """Rows measured at one place of a curve.

    Attributes:
        axis: the option that grows.
        value: its value.
        is_base: whether all options are as given.
        rows: what was measured there.
    """

    axis: str
    value: int
    is_base: bool
    rows: list[Row]


def measure(
    case: str, run: Callable[[Any], list[Row]], options: Any, say: Callable[[str], None]
) -> list[Point]:
    """Return the points of all curves of a case.

    Args:
        case: one of `AXES`.
        run: the case.
        options: of the case; the place that all curves have in common.
        say: gets a line before each measurement.
    """
    base = replace(options, **_MAIN[case])
    # all made before anything is measured: the options refuse a size that is too small
    places = [
        (axis, replace(base, **{axis: round(factor * getattr(base, axis))}))
        for axis in AXES[case]
        for factor in FACTORS
    ]
    measured: dict[Any, list[Row]] = {}
    points = []
    for axis, place in places:
        value = getattr(place, axis)
        if place not in measured:
            say(f"{case}: {axis} {value:,}")
            measured[place] = run(place)
        points.append(Point(axis, value, place == base, measured[place]))
    return points


def write(case: str, points: Sequence[Point], folder: Path) -> tuple[Path, Path]:
    """Write `<case>_scale.json` and `<case>_scale.png` into a folder; return both paths."""
    numbers, picture = files_of(case, folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(numbers, rows_of(points))
    draw(case, points, picture)
    return numbers, picture


def files_of(case: str, folder: Path) -> tuple[Path, Path]:
    """Return the paths of rows and picture."""
    return folder / f"{case}_scale.json", folder / f"{case}_scale.png"


def rows_of(points: Sequence[Point]) -> list[Row]:
    """Return the rows of all points, those of the common place once."""
    shared = {id(point.rows): point.rows for point in points}
    return [row for rows in shared.values() for row in rows]


def predicted(floors: Sequence[float], is_base: Sequence[bool], seconds: float) -> list[float]:
    """Return the floors scaled so that they meet `seconds` at the base."""
    base = next(floor for floor, here in zip(floors, is_base, strict=True) if here)
    return [floor * seconds / base for floor in floors]


def draw(case: str, points: Sequence[Point], path: Path) -> None:
    """Draw one panel for each size, on logarithmic scales."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    axes_names = list(dict.fromkeys(point.axis for point in points))
    figure = Figure(figsize=(4.4 * len(axes_names), 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(axes_names), sharey=True, squeeze=False)[0]
    for name, panel in zip(axes_names, panels, strict=True):
        _draw_panel(panel, name, [point for point in points if point.axis == name])
    panels[0].set_ylabel("milliseconds")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=min(len(labels), 6), fontsize=9
    )
    figure.suptitle(f"rrnn bench {case}: {_base_text(points)}", fontsize=10)
    figure.savefig(path, dpi=120)


def _draw_panel(panel: Any, axis: str, points: Sequence[Point]) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    sizes = [point.value for point in points]
    names = list(dict.fromkeys(row.peer for point in points for row in point.rows))
    for number, name in enumerate(names):
        # more peers than colours share them rather than being left out
        colour = _COLOURS[number % len(_COLOURS)]
        panel.plot(
            sizes, _milliseconds(points, name), "o-", color=colour, markersize=4, label=name
        )
    ours = [next(row for row in point.rows if row.peer == "ours") for point in points]
    if all(row.floor_share and row.seconds for row in ours):
        floors = [1e3 * (row.floor_share or 0) * (row.seconds or 0) for row in ours]
        is_base = [point.is_base for point in points]
        base = next(row.seconds or 0 for row, here in zip(ours, is_base, strict=True) if here)
        model = predicted(floors, is_base, 1e3 * base)
        panel.plot(sizes, model, "--", color=_COLOURS[0], label="ours, predicted")
        panel.plot(sizes, floors, ":", color="black", label="floor")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel(axis)
    panel.set_xticks(sizes)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    panel.grid(alpha=0.3)


def _milliseconds(points: Sequence[Point], peer: str) -> list[float]:
    """Return the peer's times; NaN, a gap in the curve, where it did not run."""
    found = [
        next((row.seconds for row in point.rows if row.peer == peer), None) for point in points
    ]
    return [float("nan") if seconds is None else 1e3 * seconds for seconds in found]


def _base_text(points: Sequence[Point]) -> str:
    base = next(point for point in points if point.is_base)
    return ", ".join(f"{name} {value:,}" for name, value in base.rows[0].sizes.items())
