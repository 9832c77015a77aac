"""Everything a report says, as plain values and `Estimate`s: what page, JSON and W&B show.

A column is a model, or a model with its compressor; all columns are about the same sentences.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import nn

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.evaluation import report_numbers as numbers
from rrnn_lit.evaluation.categories import categories_of
from rrnn_lit.evaluation.confusions import Confusion, confusions_of, median_cosines
from rrnn_lit.evaluation.evaluate import COMPRESSED, Evaluated, Integers
from rrnn_lit.evaluation.intervals import Estimate
from rrnn_lit.evaluation.throughput import Speed

_BYTES = 2  # of a number: plain vectors are stored as fp16


@dataclass(frozen=True)
class Column:
    """A model's results.

    Attributes:
        name: heading.
        facts: of the model, see `facts_of`.
        evaluated: the sentences and what came back.
        speed: None where it was not measured.
    """

    name: str
    facts: dict[str, Any]
    evaluated: Evaluated
    speed: Speed | None


def facts_of(parts: CodecParts, variant: str, path: str) -> dict[str, Any]:
    """Return what a figure of a model needs beside it.

    Args:
        parts: the model.
        variant: `plain` or `compressed`, see `evaluate.py`.
        path: where it was read from.
    """
    options = parts.autoencoder_options
    size = parts.sentence_vector_size
    num_bytes = _BYTES * size
    modules: list[nn.Module] = [parts.autoencoder]
    if variant == COMPRESSED and parts.compressor is not None:
        size = parts.compressor.shape.compressed_size
        num_bytes = parts.compressor.bytes_per_vector
        modules.append(parts.compressor)
    return {
        "path": path,
        "variant": variant,
        "weights": parts.facts.get("weights"),
        "steps": parts.facts.get("steps"),
        "seed": parts.facts.get("seed"),
        "trained_max_words": parts.facts.get("max_words"),
        "cell": options.get("cell", "residual"),
        "hidden_size": options["hidden_size"],
        "vector_size": size,
        "bytes_per_vector": num_bytes,
        "num_parameters": sum(p.numel() for module in modules for p in module.parameters()),
        "vocab_size": parts.word_vectors.vocab_size,
        "trained_with": parts.facts.get("versions"),
    }


def facts_line(common: dict[str, Any], facts: dict[str, Any]) -> str:
    """Return the facts without which a figure says nothing, in one line.

    Args:
        common: facts of the report.
        facts: of a model, see `facts_of`.
    """
    return f"{sentences_line(common)}; {model_line(facts)}"


def model_line(facts: dict[str, Any]) -> str:
    """Return the part of it that differs between the models of a report."""
    steps = facts["steps"]
    return (
        f"V {facts['vocab_size']:,}; width {facts['hidden_size']:,}; "
        f"{facts['bytes_per_vector']:,} bytes per vector"
        f"{'' if facts['variant'] != COMPRESSED else ' (compressed)'}; "
        f"{'unknown' if steps is None else f'{steps:,}'} steps ({facts['weights']} weights); "
        f"seed {facts['seed']}"
    )


def sentences_line(common: dict[str, Any]) -> str:
    """Return which sentences a report is about."""
    return (
        f"{common['split']}, {common['num_sentences']:,} of {common['num_split_sentences']:,} "
        f"sentences, of at most {common['max_words']} words with EOS"
    )


def build_content(
    columns: Sequence[Column],
    data: PreparedData,
    common: dict[str, Any],
    num_samples: int,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the report's content and every pair of confused words.

    Args:
        columns: at least one, all of the same sentences; differences are taken to the first.
        data: the prepared folder.
        common: facts of the whole report; `seed` draws the sample sentences.
        num_samples: sentences shown in full.
    """
    dictionary = data.word_vectors
    train_counts_V = numbers.count_train_words(data)
    left_out = dictionary.eos_id, dictionary.unk_id
    found, pairs = [], []
    for column in columns:
        evaluated = column.evaluated
        categories_N = categories_of(evaluated.target_N, evaluated.lengths_B, dictionary.words)
        confusions = confusions_of(evaluated, categories_N, dictionary)
        pairs += [{"column": column.name, **asdict(pair)} for pair in confusions]
        found.append(
            {
                **_figures(column, columns[0], common),
                "by_length": numbers.by_length(evaluated),
                "by_length_band": numbers.by_length(evaluated, numbers.BAND),
                "from_start": numbers.by_position(evaluated, from_end=False),
                "from_end": numbers.by_position(evaluated, from_end=True),
                "by_frequency": numbers.by_frequency(evaluated, train_counts_V, left_out),
                "by_category": _categories(evaluated, categories_N, confusions),
                "num_pairs": len(confusions),
                "throughput": None if column.speed is None else asdict(column.speed),
            }
        )
    samples = _samples(columns, dictionary.words, num_samples, common["seed"])
    return {"facts": common, "columns": found, "samples": samples}, pairs


def _figures(column: Column, first: Column, common: dict[str, Any]) -> dict[str, Any]:
    evaluated = column.evaluated
    line = facts_line(common, column.facts)
    estimates = {f.key: numbers.estimate(evaluated, f) for f in numbers.FIGURES}
    return {
        "name": column.name,
        "facts": column.facts,
        "line": line,
        "figures": estimates,
        "figures_in_words": {
            f.key: f"{f.title}: {estimate_text(estimates[f.key])}; {line}" for f in numbers.FIGURES
        },
        "differences": {
            f.key: numbers.compare(evaluated, first.evaluated, f) for f in numbers.FIGURES
        }
        if column is not first
        else None,
        "bits_per_word": 8
        * column.facts["bytes_per_vector"]
        * len(evaluated.lengths_B)
        / int(evaluated.lengths_B.sum()),
    }


def estimate_text(estimate: Estimate) -> str:
    """Return an estimate with its counts and interval in words."""
    return (
        f"{estimate.value:.2%} ({estimate.part:,} of {estimate.whole:,}; "
        f"95% interval {estimate.low:.2%} to {estimate.high:.2%})"
    )


def _categories(
    evaluated: Evaluated, categories_N: Integers, confusions: list[Confusion]
) -> list[dict[str, Any]]:
    medians = median_cosines(confusions)
    return [
        {**row, "median_cosine": medians.get(row["category"])}
        for row in numbers.by_category(evaluated, categories_N)
    ]


def _samples(
    columns: Sequence[Column], words: Sequence[str], number: int, seed: int
) -> list[dict[str, Any]]:
    """Return random sentences with what each column makes of them."""
    first = columns[0].evaluated
    size = len(first.lengths_B)
    chosen = np.random.default_rng(seed).choice(size, min(number, size), replace=False)
    return [
        {
            "sentence_number": int(first.sentence_numbers_B[row]),
            "words": [words[i] for i in first.target_N[first.words_of(row)]],
            "columns": [_decoded(column, row, words) for column in columns],
        }
        for row in np.sort(chosen).tolist()
    ]


def _decoded(column: Column, row: int, words: Sequence[str]) -> dict[str, Any]:
    evaluated = column.evaluated
    place = evaluated.words_of(row)
    return {
        "name": column.name,
        "decoded": [words[i] if i >= 0 else "" for i in evaluated.decoded_N[place].tolist()],
        "matched": evaluated.matched_N[place].tolist(),
        "cosines": _rounded(evaluated.cosine_N[place]),
        "decoded_cosines": _rounded(evaluated.decoded_cosine_N[place]),
    }


def _rounded(cosines: Any) -> list[float | None]:
    """Return cosines with 4 digits; None for NaN, which JSON does not have."""
    return [round(float(c), 4) if np.isfinite(c) else None for c in cosines]
