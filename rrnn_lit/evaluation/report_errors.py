"""Sections of a report's page: which words go wrong, and what becomes of them."""

from collections.abc import Sequence
from typing import Any

from rrnn_lit.evaluation.categories import CATEGORIES
from rrnn_lit.evaluation.report_cells import cosine_cell, share, show_picture, whole_number
from rrnn_lit.evaluation.report_html import (
    Cell,
    Content,
    Html,
    definitions,
    details,
    join,
    table,
    tag,
)

_TOP = 20  # pairs of confused words in the table of all
_TOP_OF_CATEGORY = 10


def errors_section(
    content: dict[str, Any], pairs: Sequence[dict[str, Any]], pictures: dict[str, bytes]
) -> Html:
    """Return errors by category and the most frequent pairs of confused words."""
    parts: list[Content] = [
        tag("h2", "Kinds of errors"),
        show_picture(content, pictures, "by_category"),
    ]
    for column in content["columns"]:
        own = [pair for pair in pairs if pair["column"] == column["name"]]
        parts += [
            tag("h3", column["name"]),
            _categories(column),
            _confusions(own[:_TOP], f"the {_TOP} most frequent pairs of {len(own):,}"),
            details("Most frequent pairs of each category", _by_category(own)),
        ]
    return join(*parts, details("What the categories hold", definitions([*CATEGORIES.items()])))


def _categories(column: dict[str, Any]) -> Html:
    rows = [
        [
            row["category"],
            whole_number(row["wrong"].whole),
            whole_number(row["wrong"].part),
            share(row["wrong"]),
            Cell(f"{row['share_of_all_wrong']:.1%}"),
            cosine_cell(row["median_cosine"]),
        ]
        for row in column["by_category"]
    ]
    headings = ["category", "words", "wrong", "rate", "of all errors", "median cosine"]
    caption = (
        f"{column['line']}; the cosine is that of the target's and the decoded word's vectors"
    )
    return table(headings, rows, caption)


def _by_category(pairs: Sequence[dict[str, Any]]) -> Html:
    tables = []
    for name in CATEGORIES:
        held = [pair for pair in pairs if pair["category"] == name]
        if held:
            caption = f"{name}: {min(len(held), _TOP_OF_CATEGORY)} of {len(held):,} pairs"
            tables.append(_confusions(held[:_TOP_OF_CATEGORY], caption))
    return join(*tables) if tables else tag("p", "No word is wrong.")


def _confusions(pairs: Sequence[dict[str, Any]], caption: str) -> Html:
    if not pairs:
        return tag("p", "No word is wrong.")
    rows = [
        [
            pair["target"],
            pair["decoded"] or "(nothing)",
            Cell(f"{pair['count']:,} of {pair['num_target']:,}"),
            cosine_cell(pair["cosine"]),
            pair["category"],
        ]
        for pair in pairs
    ]
    return table(["word", "decoded as", "times", "cosine", "category"], rows, caption)


def places_section(content: dict[str, Any], pictures: dict[str, bytes]) -> Html:
    """Return errors by place in the sentence and by frequency of the word."""
    return join(
        tag("h2", "Where and which words go wrong"),
        show_picture(content, pictures, "by_position"),
        show_picture(content, pictures, "by_frequency"),
    )
