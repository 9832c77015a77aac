"""The page of a report: its sections in order, the short ones in full."""

from collections.abc import Sequence
from typing import Any

from rrnn_lit.evaluation.report_cells import INTERVAL, share
from rrnn_lit.evaluation.report_content import sentences_line
from rrnn_lit.evaluation.report_errors import errors_section, places_section
from rrnn_lit.evaluation.report_figures import figures_section, lengths_section
from rrnn_lit.evaluation.report_html import (
    Cell,
    Content,
    Html,
    definitions,
    join,
    page,
    table,
    tag,
)
from rrnn_lit.evaluation.report_samples import samples_section


def build_page(
    content: dict[str, Any], pairs: Sequence[dict[str, Any]], pictures: dict[str, bytes]
) -> str:
    """Return the HTML document of a report.

    Args:
        content: see `report_content.py`.
        pairs: every pair of confused words.
        pictures: PNG by name.
    """
    names = [column["name"] for column in content["columns"]]
    title = f"Reconstruction of {content['facts']['split']}: {', '.join(names)}"
    # a heading has no room for many names; they follow it with their facts
    split = content["facts"]["split"]
    heading = title if len(names) == 1 else f"Reconstruction of {split}, side by side"
    sections = [
        tag("h1", heading),
        *(tag("p", f"{c['name']}: {c['line']}", class_="soft") for c in content["columns"]),
        figures_section(content, pictures),
        lengths_section(content, pictures),
        samples_section(content),
        errors_section(content, pairs, pictures),
        places_section(content, pictures),
        speed_section(content),
        raw_text_section(content),
        facts_section(content),
    ]
    return page(title, join(*sections))


def speed_section(content: dict[str, Any]) -> Html:
    """Return sentences and words a second, with the conditions."""
    rows: list[list[Cell | Content]] = []
    conditions = ""
    for column in content["columns"]:
        speed = column["throughput"]
        if speed is None:
            continue
        rows += [
            [
                f"{column['name']}: {step}",
                Cell(f"{speed[f'{step}_sentences_per_second']:,.0f}"),
                Cell(f"{speed[f'{step}_words_per_second']:,.0f}"),
            ]
            for step in ("encode", "decode")
        ]
        conditions = (
            f"median of {speed['passes']} passes over {speed['num_sentences']:,} sentences "
            f"({speed['num_words']:,} words), batches of {speed['batch_size']}, "
            f"{speed['device']}, {speed['dtype']}, {speed['threads']} threads; encoding begins "
            f"with word_ids, decoding includes the search among {speed['vocab_size']:,} words "
            "and is given the length; a busy machine measures less"
        )
    return join(
        tag("h2", "Speed"),
        table(["", "sentences/s", "words/s"], rows, conditions or "not measured"),
    )


def raw_text_section(content: dict[str, Any]) -> Html:
    """Return what preparation and printing do to raw sentences, if that was measured."""
    raw = content["raw_text"]
    if raw is None:
        text = (
            "Not measured: a prepared folder holds words, not raw text. --raw FILE gives the "
            "share of raw sentences that come through preparation and printing unchanged; all "
            "figures above are about words after preparation."
        )
        return join(tag("h2", "Raw text"), tag("p", text))
    rows: list[list[Cell | Content]] = [
        ["unchanged by preparation and printing", share(raw["unchanged"])],
        ["unchanged but for a full stop at the end", share(raw["unchanged_but_stop"])],
        ["dropped by preparation", share(raw["dropped"])],
        ["with a word that the dictionary lacks", share(raw["with_unknown_word"])],
    ]
    caption = f"{raw['num_sentences']:,} raw sentences of {raw['file']}; {INTERVAL}"
    note = [] if raw["note"] is None else [tag("p", raw["note"], class_="soft")]
    return join(tag("h2", "Raw text"), table(["", "share"], rows, caption), *note)


def facts_section(content: dict[str, Any]) -> Html:
    """Return what is needed to make the report again."""
    facts = content["facts"]
    pairs: list[tuple[str, Content]] = [
        ("command", tag("code", facts["command"])),
        ("date", facts["date"]),
        ("sentences", sentences_line(facts)),
        ("data", f"{facts['data']}, digest {facts['data_digest'][:12]}"),
        ("evaluated", f"in {facts['precision']} on {facts['device']}"),
        ("seed of the sample sentences", str(facts["seed"])),
        ("versions", ", ".join(f"{k} {v}" for k, v in facts["versions"].items())),
    ]
    for column in content["columns"]:
        own = column["facts"]
        text = (
            f"{own['path']}; {own['cell']} cell, {own['num_parameters']:,} parameters, trained on "
            f"sentences of at most {own['trained_max_words']} words; {column['line']}"
        )
        pairs.append((column["name"], text))
    return join(tag("h2", "Facts"), definitions(pairs))
