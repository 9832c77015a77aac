"""`curves.png`: loss, matched words, learning rate and speed of a run over its steps."""

import io
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.metrics_log import read_metrics
from rrnn_lit.training.run_folder import CURVES_FILE, METRICS_FILE
from rrnn_lit.whole_files import written_whole

Record = dict[str, Any]
# panel -> (title, [(key, label)], is a share)
_PANELS = (
    ("loss per sentence", [(keys.TRAIN_LOSS, "train, match drop on")], False),
    (
        "matched words",
        [
            (keys.TRAIN_MATCHED_WORD_RATE, "train batches, dropout on"),
            (keys.TRAIN_DROPPED_WORD_RATE, "dropped (no gradient)"),
            (keys.split_key("tune", "matched_word_rate"), "tune"),
            (keys.split_key("test", "matched_word_rate"), "test"),
        ],
        True,
    ),
    (
        "exact sentences",
        [
            (keys.split_key("tune", "exact_sentence_rate"), "tune"),
            (keys.split_key("test", "exact_sentence_rate"), "test"),
        ],
        True,
    ),
    ("learning rate", [(keys.LEARNING_RATE, "learning rate")], False),
)


def plot_curves(
    folder: Path, held: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Path:
    """Draw the curves of a run from its `metrics.jsonl` and return the picture's path.

    Args:
        folder: of the run.
        held: its ownership, which is entered while the picture is written.

    Raises:
        ValueError: a line of `metrics.jsonl` is damaged.
        OSError: the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    records = read_metrics(folder / METRICS_FILE)
    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, curves, is_share) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        for key, label in curves:
            steps, values = series(records, key)
            if steps:
                marker = "o" if key.startswith(("tune", "test")) else ""
                axes.plot(steps, values, label=label, marker=marker, markersize=3, linewidth=1.2)
        axes.set_title(title)
        axes.set_xlabel("steps")
        axes.grid(alpha=0.3)
        if is_share:
            axes.set_ylim(0, 1)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        if len(curves) > 1 and axes.lines:
            axes.legend(fontsize=8)
    figure.suptitle(str(folder))
    path, picture = folder / CURVES_FILE, io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # in the name of the folder
        figure.savefig(picture, dpi=110)
    with held(), written_whole(path) as part:
        part.write_bytes(picture.getvalue())
    return path


def series(records: list[Record], key: str) -> tuple[list[int], list[float]]:
    """Return steps and values of the records that hold `key`."""
    held = [record for record in records if key in record]
    return [record["step"] for record in held], [record[key] for record in held]
