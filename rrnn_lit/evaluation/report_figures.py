"""Sections of a report's page: the figures, and how they fall with the sentence's length."""

from collections.abc import Sequence
from typing import Any

from rrnn_lit.evaluation.report_cells import (
    INTERVAL,
    share,
    show_picture,
    signed_share,
    whole_number,
)
from rrnn_lit.evaluation.report_content import sentences_line
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
from rrnn_lit.evaluation.report_numbers import FIGURES

_INTERVALS = (
    "Sentences: Wilson's score interval. Words: the sentence is the unit that is drawn, since "
    "words of a sentence go wrong together; the interval is Wilson's for as many independent "
    "words as have the variance of the ratio over sentences. Differences are paired by sentence."
)


def figures_section(content: dict[str, Any], pictures: dict[str, bytes]) -> Html:
    """Return the figures of all columns and, of several, their differences."""
    columns, line = content["columns"], sentences_line(content["facts"])
    names = [column["name"] for column in columns]
    rows: list[list[Cell | Content]] = [
        [f.title, *(share(c["figures"][f.key]) for c in columns)] for f in FIGURES
    ]
    sizes = [whole_number(c["facts"]["bytes_per_vector"]) for c in columns]
    rows.append(["bytes per vector", *sizes])
    rows.append(["bits per word", *(Cell(f"{c['bits_per_word']:,.1f}") for c in columns)])
    counted = columns[0]["figures"]
    words, strict = counted[FIGURES[0].key].whole, counted[FIGURES[3].key].whole
    parts: list[Content] = [
        tag("h2", "Figures"),
        table(["figure", *names], rows, f"{line}; {INTERVAL}"),
        tag(
            "p",
            f"Of {words:,} words, {strict:,} counted strictly. Bytes are those of numbers of 16 "
            "bit, or of the fewer bits of a compressor that rounds; evaluated in "
            f"{content['facts']['precision']}.",
            class_="soft",
        ),
    ]
    if len(columns) > 1:
        parts += [_differences(columns, line), show_picture(content, pictures, "side_by_side")]
    meanings = definitions([(f.title, f.meaning) for f in FIGURES])
    return join(*parts, details("What is counted", join(meanings, tag("p", _INTERVALS))))


def _differences(columns: Sequence[dict[str, Any]], line: str) -> Html:
    first, others = columns[0]["name"], columns[1:]
    rows: list[list[Cell | Content]] = [
        [f.title, *(signed_share(c["differences"][f.key]) for c in others)] for f in FIGURES
    ]
    caption = f"percentage points more than {first}, on the same sentences: {line}; {INTERVAL}"
    return table(["difference", *(c["name"] for c in others)], rows, caption)


def lengths_section(content: dict[str, Any], pictures: dict[str, bytes]) -> Html:
    """Return the paper's Figure 3 and a table of its bands."""
    columns = content["columns"]
    headings = ["words", "sentences"]
    for column in columns:
        name = "" if len(columns) == 1 else f", {column['name']}"
        headings += [f"matched words{name}", f"exact sentences{name}"]
    rows: list[list[Cell | Content]] = []
    for number, row in enumerate(columns[0]["by_length_band"]):
        cells: list[Cell | Content] = [
            f"{row['shortest']}\u00a0to\u00a0{row['longest']}",
            whole_number(row["exact_sentences"].whole),
        ]
        for column in columns:
            own = column["by_length_band"][number]
            cells += [share(own["matched_words"]), share(own["exact_sentences"])]
        rows.append(cells)
    return join(
        tag("h2", "By sentence length"),
        show_picture(content, pictures, "by_length"),
        table(headings, rows, f"by number of words, EOS included; {INTERVAL}"),
    )
