"""The table of a comparison, for the terminal and as Markdown: one row a variant."""

from collections.abc import Callable, Sequence

from rich.table import Table

from rrnn_lit.evaluation.compare_results import Result, equal_seconds

GROUPS = {"baseline": "Other networks", "ablation": "The same network, one thing changed"}
_Column = tuple[str, Callable[[Result], str]]


def columns(results: Sequence[Result]) -> list[_Column]:
    """Return headings and what stands below them; holdout only where it was counted."""
    at = equal_seconds(results)
    figures: list[_Column] = [
        ("variant", lambda r: r.label),
        ("cell", lambda r: r.cell),
        ("width", lambda r: f"{r.summary['hidden_size']:,}"),
        ("parameters", lambda r: f"{r.summary['num_parameters']:,}"),
        ("bytes per vector", lambda r: f"{r.summary['bytes_per_vector']:,}"),
        ("steps", lambda r: f"{r.summary['steps']:,}"),
        ("seconds", lambda r: f"{r.seconds:,.0f}"),
        ("sentences per second", lambda r: f"{r.sentences_per_second:,.0f}"),
    ]
    splits = [s for s in ("tune", "test", "holdout") if any(r.rate(s, _WORDS) for r in results)]
    for split in splits:
        figures.append((f"{split} words", _rate(split, _WORDS)))
        figures.append((f"{split} exact", _rate(split, _EXACT)))
    figures.append((f"tune words at {at:,.0f} s", lambda r: f"{r.words_at(at):.1%}"))
    figures.append(("loss", lambda r: f"{r.loss:.1f}"))
    return figures


_WORDS, _EXACT = "matched_word_rate", "exact_sentence_rate"


def _rate(split: str, name: str) -> Callable[[Result], str]:
    def text(result: Result) -> str:
        rate = result.rate(split, name)
        return "-" if rate is None else f"{rate:.1%}"

    return text


def rows_of_groups(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Return title -> results; the first variant leads every group: the others are set against it.

    Groups without a variant of their own are left out.
    """
    groups = {}
    for group, title in GROUPS.items():
        own = [r for r in results[1:] if r.group == group]
        if own:
            groups[title] = [results[0], *own]
    return groups or {GROUPS[results[0].group]: list(results)}


def describe(results: Sequence[Result]) -> list[str]:
    """Return what the reader of the table must know, a line each."""
    first = results[0].summary
    splits = first["splits"]
    counted = ", ".join(f"{s} {f['num_sentences']:,}" for s, f in splits.items())
    seeds = sorted({r.summary["seed"] for r in results})
    at = equal_seconds(results)
    return [
        f"Sentences of at most {first['max_words']} words with EOS, {first['vocab_size']:,} "
        f"dictionary words; sentences counted: {counted}; {first['precision']}; seed "
        f"{', '.join(map(str, seeds))}, one training each: read differences under 2 points as "
        "noise.",
        "Words: the word nearest to a predicted vector is the right one (EOS counts, length "
        "given). Exact: all words of a sentence are. Both with the final weights.",
        "Seconds: training steps alone, without evaluations. "
        f"Words at {at:,.0f} s: by then the fastest variant was done; what takes longer is still "
        "on its way, at a higher learning rate.",
        "Loss: of the last training batches, a sentence; a cosine loss or one without match drop "
        "has another scale.",
    ]


def terminal_table(results: Sequence[Result]) -> Table:
    """Return the table for a terminal; a line between the groups."""
    table = Table()
    shown = [column for column in columns(results) if column[0] != "cell"]
    for heading, _ in shown:
        is_text = heading == "variant"
        table.add_column(
            heading.replace(" ", "\n", 1),
            justify="left" if is_text else "right",
            no_wrap=not is_text,  # in a narrow terminal the names give way, not the figures
        )
    for group in rows_of_groups(results).values():
        for result in group:
            table.add_row(*(text(result) for _, text in shown))
        table.add_section()
    return table


def markdown_table(results: Sequence[Result], failed: dict[str, str]) -> str:
    """Return the table of each group, what to know about it, and what failed."""
    shown = columns(results)
    parts = []
    for title, group in rows_of_groups(results).items():
        head = " | ".join(heading for heading, _ in shown)
        marks = " | ".join("---" if h in ("variant", "cell") else "---:" for h, _ in shown)
        rows = [f"| {' | '.join(text(result) for _, text in shown)} |" for result in group]
        parts.append("\n".join([f"## {title}", "", f"| {head} |", f"| {marks} |", *rows]))
    parts.append("\n".join(f"- {line}" for line in describe(results)))
    if failed:
        logs = "\n\n".join(f"{name}:\n\n{problem}" for name, problem in failed.items())
        parts.append(f"## Failed\n\n{logs}")
    return "\n\n".join(parts) + "\n"
