"""Sample sentences, the paper's Table 1: what came back, wrong words in red.

The cosines of the predicted vector with the decoded and with the right word stand beside a wrong
word, since a phone cannot hover over it, and in its title with more digits.
"""

from typing import Any

from rrnn_lit.evaluation.report_content import sentences_line
from rrnn_lit.evaluation.report_html import Content, Html, definitions, join, tag
from rrnn_lit.words.special import EOS


def samples_section(content: dict[str, Any]) -> Html:
    """Return the section of the sample sentences."""
    facts, samples = content["facts"], content["samples"]
    note = (
        f"{len(samples)} random sentences, drawn with seed {facts['seed']} from "
        f"{sentences_line(facts)}. "
        "Beside a wrong word: cosine of the predicted vector with it, then the right word and "
        "its cosine."
    )
    cards = [_card(sample) for sample in samples]
    return join(tag("h2", "Sentences"), tag("p", note, class_="soft"), *cards)


def _card(sample: dict[str, Any]) -> Html:
    words = _without_end(sample["words"])
    pairs: list[tuple[str, Content]] = [("sentence", " ".join(words))]
    perfect = [column for column in sample["columns"] if all(column["matched"])]
    if perfect:
        names = ", ".join(column["name"] for column in perfect)
        title = f"{names}: all {len(sample['words'])} right"
        pairs.append((title, _decoded(sample["words"], perfect[0])))
    for column in sample["columns"]:
        num_wrong = column["matched"].count(False)
        if num_wrong:
            title = f"{column['name']}: {num_wrong} of {len(sample['words'])} wrong"
            pairs.append((title, _decoded(sample["words"], column)))
    return tag(
        "article",
        join(tag("h3", f"Sentence {sample['sentence_number']}"), definitions(pairs)),
    )


def _without_end(words: list[str]) -> list[str]:
    return words[:-1] if words[-1:] == [EOS] else words


def _decoded(words: list[str], column: dict[str, Any]) -> Html:
    """Return the decoded sentence, without an EOS that is right."""
    marked: list[Content] = [
        decoded if matched else _wrong(target, decoded, cosine, decoded_cosine)
        for target, decoded, matched, cosine, decoded_cosine in zip(
            words,
            column["decoded"],
            column["matched"],
            column["cosines"],
            column["decoded_cosines"],
            strict=True,
        )
    ]
    if column["matched"][-1] and words[-1] == EOS:
        marked.pop()
    return join(*marked)


def _wrong(target: str, decoded: str, cosine: float | None, decoded_cosine: float | None) -> Html:
    shown = decoded or "(nothing)"
    title = f"{shown} {_number(decoded_cosine, 4)}, wanted {target} {_number(cosine, 4)}"
    beside = f"{_number(decoded_cosine, 2)}, {target} {_number(cosine, 2)}"
    return join(tag("span", shown, class_="wrong", title=title), tag("small", f"({beside})"))


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
