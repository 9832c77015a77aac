"""Numbers of a report as table cells, and its pictures with their captions."""

from typing import Any

from rrnn_lit.evaluation.intervals import Estimate
from rrnn_lit.evaluation.report_content import model_line, sentences_line
from rrnn_lit.evaluation.report_html import Cell, Html, picture

INTERVAL = "95% interval below each figure"
_PICTURES = {
    "side_by_side": ("All figures side by side", "Every figure with its 95% interval."),
    "by_length": (
        "Matched words and exact sentences by sentence length",
        "Matched words and exact sentences over the number of words, EOS included; bands are "
        "95% intervals. Below, the sentences of each length.",
    ),
    "by_position": (
        "Wrong words by place in the sentence",
        "Share of wrong words by place, counted from the first word and back from EOS; places "
        "with at least 20 words; bands are 95% intervals.",
    ),
    "by_frequency": (
        "Matched words by word frequency",
        "Share of matched words by how often the word occurs in the train split, two bins a "
        "decade, EOS and UNK left out; bars are 95% intervals.",
    ),
    "by_category": (
        "Wrong words by category",
        "Share of wrong words of each category; bars are 95% intervals.",
    ),
}


def share(estimate: Estimate) -> Cell:
    """Return a share with its interval below; `-` of nothing."""
    if not estimate.whole:
        return Cell("-")
    ends = f"{100 * estimate.low:.2f} to {100 * estimate.high:.2f}"
    return Cell(f"{estimate.value:.2%}", ends)


def signed_share(estimate: Estimate) -> Cell:
    """Return a difference in percentage points with its interval below."""
    ends = f"{100 * estimate.low:+.2f} to {100 * estimate.high:+.2f}"
    return Cell(f"{100 * estimate.value:+.2f}", ends)


def whole_number(number: int) -> Cell:
    """Return a count."""
    return Cell(f"{number:,}")


def cosine_cell(value: float | None) -> Cell:
    """Return a cosine; `-` for none."""
    return Cell("-" if value is None else f"{value:.2f}")


def show_picture(content: dict[str, Any], pictures: dict[str, bytes], name: str) -> Html:
    """Return a picture with its caption and the facts of every column."""
    title, caption = _PICTURES[name]
    models = (f"{c['name']}: {model_line(c['facts'])}" for c in content["columns"])
    lines = ". ".join([f"Measured on {sentences_line(content['facts'])}", *models])
    return picture(pictures[name], title, f"{caption} {lines}.")
