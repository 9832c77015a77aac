"""`ratio.png`: matched words and exact sentences against bytes per sentence vector."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from rrnn_lit.evaluation.ratio_curve import Row
from rrnn_lit.evaluation.ratio_methods import PLAIN
from rrnn_lit.whole_files import written_whole

_PANELS = (("matched words", "matched_word_rate"), ("exact sentences", "exact_sentence_rate"))


def draw_ratio(rows: Sequence[Row], trained: Sequence[str], title: str, path: Path) -> None:
    """Write the picture; trained compressors are stars, every other method a curve.

    Args:
        rows: of all methods.
        trained: names of the methods that are trained compressors.
        title: what was measured.
        path: the PNG, replaced by rename.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, PercentFormatter, ScalarFormatter

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    names = list(dict.fromkeys(row.method for row in rows))
    for axes, (what, rate) in zip(figure.subplots(1, 2).flat, _PANELS, strict=True):
        for name in names:
            held = sorted((r for r in rows if r.method == name), key=lambda row: row.num_bytes)
            sizes, values = [r.num_bytes for r in held], [getattr(r, rate) for r in held]
            if name == PLAIN:
                axes.axhline(values[0], color="0.4", linestyle="--", linewidth=1, label=name)
            elif name in trained:
                axes.plot(sizes, values, "*", markersize=13, markeredgecolor="black", label=name)
            else:
                axes.plot(sizes, values, "o-", markersize=4, linewidth=1.2, label=name)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        sizes = sorted({row.num_bytes for row in rows})
        axes.set_xticks(_apart(sizes), labels=[f"{size:,}" for size in _apart(sizes)])
        axes.set_xlabel("bytes per sentence vector")
        axes.set_title(what)
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.grid(alpha=0.3)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8)
    figure.suptitle(title, fontsize=10)
    with written_whole(path) as part, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # in names of folders
        figure.savefig(part, format="png", dpi=110)


def _apart(sizes: Sequence[int]) -> list[int]:
    """Return the sizes whose labels would not overlap on a logarithmic axis."""
    kept: list[int] = []
    for size in sorted(sizes):
        if not kept or size >= 1.25 * kept[-1]:
            kept.append(size)
    return kept
