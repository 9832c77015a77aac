"""`README.md` of a bundle: what it is, how to use it, its figures and limits.

The head is the metadata that model hubs read. JSON is YAML too, so no YAML is written here.
"""

import json
from typing import Any

from rrnn_lit.codec.parts import CodecParts

LIBRARY = "rrnn_lit"
_TASK = "feature-extraction"
_TAGS = ["sentence-embeddings", "autoencoder", "invertible", "residual-rnn", "pytorch"]
# figure -> what the card calls it
FIGURES = {
    "matched_word_rate": "matched words",
    "exact_sentence_rate": "exact sentences",
    "strict_matched_word_rate": "strict matched words",
    "strict_exact_sentence_rate": "strict exact sentences",
}

_NOTE = (
    "A word is matched when its own vector has the highest cosine with the decoded one. The "
    "strict figures leave out the end mark and unknown words, and the decoder has to find the "
    "end itself. Options are chosen by tune and training is stopped by test; only holdout is "
    "untouched.\n"
)
_USE = """\
```python
from rrnn_lit.codec.sentence_codec import SentenceCodec

codec = SentenceCodec.load("path/of/this/folder")
vectors = codec.encode(["A sentence to remember", "and another one"])
print(codec.decode(vectors))
```
"""


def model_card(parts: CodecParts) -> str:
    """Return the card; the same parts give the same text."""
    sections = [_head(parts), _title(parts), "## Use\n", _USE, "## Figures\n", _figures(parts)]
    return "\n".join([*sections, "## Text\n", _text(parts), "## Limits\n", _limits(parts)])


def bytes_per_vector(parts: CodecParts) -> int:
    """Return the size of what is stored of a sentence: compressed, or the vector in fp16."""
    if parts.compressor is not None:
        return parts.compressor.bytes_per_vector
    return 2 * parts.sentence_vector_size


def _head(parts: CodecParts) -> str:
    head: dict[str, Any] = {"library_name": LIBRARY, "language": "en"}
    if "license" in parts.facts:
        head["license"] = parts.facts["license"]
    head |= {"pipeline_tag": _TASK, "tags": _TAGS}
    results = [_result(parts, split, figures) for split, figures in evaluations(parts).items()]
    if results:
        head["model-index"] = [{"name": _name(parts), "results": results}]
    lines = [f"{name}: {json.dumps(value)}" for name, value in head.items()]
    return "\n".join(["---", *lines, "---", ""])


def evaluations(parts: CodecParts) -> dict[str, dict[str, Any]]:
    """Return the figures by split; those through a compressor as `tune, compressed`."""
    compressed = parts.facts.get("compressor", {}).get("splits", {})
    return {
        **parts.facts.get("splits", {}),
        **{f"{split}, compressed": figures for split, figures in compressed.items()},
    }


def _result(parts: CodecParts, name: str, figures: dict[str, Any]) -> dict[str, Any]:
    source = _source(parts)
    metrics = [
        {"type": figure, "name": title, "value": figures[figure]}
        for figure, title in FIGURES.items()
        if figures.get(figure) is not None
    ]
    return {
        "task": {"type": _TASK, "name": "sentence reconstruction"},
        "dataset": {
            "type": source,
            "name": f"{source} ({name})",
            "split": name.partition(",")[0],
        },
        "metrics": metrics,
    }


def _source(parts: CodecParts) -> str:
    return str(parts.facts.get("data", {}).get("source", {}).get("kind", "unknown"))


def _name(parts: CodecParts) -> str:
    return str(parts.facts.get("name", LIBRARY))


def _title(parts: CodecParts) -> str:
    size = parts.sentence_vector_size
    text = (
        f"# {_name(parts)}\n\nA sentence autoencoder: text becomes one vector of {size:,} numbers "
        "from which the words can be read back."
    )
    if parts.compressor_options is not None:
        length = parts.compressor_options["compressed_size"]
        text += f" A compressor turns the vector into one of {length:,} numbers, and back."
    return text + "\n"


def _figures(parts: CodecParts) -> str:
    facts, options = parts.facts, parts.autoencoder_options
    rows: list[tuple[str, ...]] = [
        ("hidden size", f"{options['hidden_size']:,}"),
        ("sentence vector", f"{parts.sentence_vector_size:,} numbers"),
        ("stored vector", f"{bytes_per_vector(parts):,} bytes"),
        ("dictionary", f"{parts.word_vectors.vocab_size:,} words"),
        ("weights", f"{sum(w.numel() for w in parts.autoencoder.parameters()):,}"),
        ("longest training sentence", f"{facts.get('max_words', 'unknown')} words with EOS"),
        ("training steps", _number(facts.get("steps"))),
        ("seed", str(facts.get("seed", "unknown"))),
        ("text", _source(parts)),
    ]
    tables = [_table([("", ""), *rows]), _evaluation(facts.get("splits", {}))]
    if parts.compressor is not None:
        own = facts.get("compressor", {}).get("splits", {})
        tables += ["The same through the compressor and back:\n", _evaluation(own)]
    return "\n".join([*tables, _NOTE])


def _evaluation(splits: dict[str, dict[str, Any]]) -> str:
    if not splits:
        return "No evaluation of these weights is recorded.\n"
    head = ("split", "sentences", "at most words", *FIGURES.values())
    rows = [
        (
            split,
            _number(figures.get("num_sentences")),
            str(figures.get("max_words", "unknown")),
            *(_percent(figures.get(figure)) for figure in FIGURES),
        )
        for split, figures in splits.items()
    ]
    return _table([head, *rows])


def _text(parts: CodecParts) -> str:
    text = parts.text
    steps = [
        f"tokenizer: {text.tokenizer}; text is folded to ASCII, case is kept",
        "hyphens and fourteen marks are words of their own, other marks are dropped",
        "every digit becomes a number word, the final full stop is removed",
        "contractions and phrases of a list of known words become one word"
        if parts.known_words is not None
        else "contractions become one word",
        f"training left out sentences of {text.max_words} words and more (without EOS)",
    ]
    if text.language_threshold:
        share = f"{text.language_threshold:g}"
        steps.append(f"training left out other languages (of probability {share} or more)")
    if parts.corrections:
        steps.append(f"{len(parts.corrections):,} spellings are corrected")
    return "".join(f"- {step}\n" for step in steps)


def _limits(parts: CodecParts) -> str:
    facts = parts.facts
    limits = [
        "Words outside the dictionary are read as UNK and come back as UNK.",
        "The steps above lose information: `2` and `two`, accents, the final full stop.",
        "Sentences longer than those of training are decoded badly.",
        "The model has no safety filter: it gives back what it was given, with mistakes that can "
        "change the meaning (names, numbers).",
    ]
    if not facts.get("finished", True):
        limits.append("The training run was not finished when these weights were taken.")
    if "text_note" in facts:
        limits.append(str(facts["text_note"]))
    return "".join(f"- {limit}\n" for limit in limits)


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]) + "\n"


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "unknown"


def _percent(value: object) -> str:
    return f"{value:.2%}" if isinstance(value, int | float) else "unknown"
