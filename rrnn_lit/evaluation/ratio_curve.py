"""Accuracy against bytes per sentence vector: every method on the same sentences.

Shapes: B sentences, N words of all sentences (packed rows), S sentence_vector_size.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.table import Table
from torch import Tensor

from rrnn_lit.data.loading import EvaluationBatches
from rrnn_lit.data.token_store import TokenStore
from rrnn_lit.evaluation.evaluate import Reconstructor
from rrnn_lit.evaluation.ratio_methods import Method
from rrnn_lit.models.packing import Packing

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """What a method keeps of a split.

    Attributes:
        method: its name.
        num_bytes: of a stored vector.
        ratio: bytes of the plain vector in fp16 by these.
        matched_words: words that come back, EOS included, the length given (D-32).
        exact_sentences: sentences all of whose words come back.
        matched_word_rate: of all words.
        exact_sentence_rate: of all sentences.
        squared_error: mean squared distance of the vectors that come back.
    """

    method: str
    num_bytes: int
    ratio: float
    matched_words: int
    exact_sentences: int
    matched_word_rate: float
    exact_sentence_rate: float
    squared_error: float


def encode_sentences(
    model: Reconstructor,
    store: TokenStore,
    sentences: Integers,
    batch_size: int,
    say: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Return the vectors of sentences, (N, S) fp32 on the host, in no order to rely on."""
    batches = EvaluationBatches(store, sentences, batch_size, 0, 1)
    blocks, done = [], 0
    for number in range(len(batches)):
        batch = batches[number]
        packing = Packing.of(batch["lengths_B"], model.device)
        word_ids_N = packing.pack(batch["word_ids_BT"].to(model.device))
        blocks.append(model.encode(word_ids_N, packing).float().cpu())
        done += packing.num_sentences
        say(done)
    return torch.cat(blocks)


def measure(
    model: Reconstructor,
    methods: Sequence[Method],
    store: TokenStore,
    sentences: Integers,
    batch_size: int,
    say: Callable[[int], None] = lambda done: None,
) -> list[Row]:
    """Return a row for each method, over the same sentences.

    Args:
        model: makes and reads the vectors; its own compressor is not asked.
        methods: the first one's bytes are not special: ratios are by fp16.
        store: the split.
        sentences: rows of the store.
        batch_size: sentences at a time; speed and memory only.
        say: is told the number of sentences done.
    """
    batches = EvaluationBatches(store, sentences, batch_size, 0, 1)
    counts = np.zeros((len(methods), 2), dtype=np.int64)
    errors = np.zeros(len(methods))
    size = num_words = done = 0
    for number in range(len(batches)):
        batch = batches[number]
        packing = Packing.of(batch["lengths_B"], model.device)
        word_ids_N = packing.pack(batch["word_ids_BT"].to(model.device))
        vectors_BS = model.encode(word_ids_N, packing).float()
        for place, method in enumerate(methods):
            restored_BS = method.restore(vectors_BS)
            counts[place] += _count(model, restored_BS, packing, word_ids_N)
            difference_BS = (restored_BS - vectors_BS).double()
            errors[place] += float(difference_BS.square().sum())
        size, num_words = vectors_BS.shape[1], num_words + len(word_ids_N)
        done += packing.num_sentences
        say(done)
    return [
        Row(
            method=method.name,
            num_bytes=method.num_bytes,
            ratio=round(2 * size / method.num_bytes, 3),
            matched_words=int(matched),
            exact_sentences=int(exact),
            matched_word_rate=round(int(matched) / num_words, 6),
            exact_sentence_rate=round(int(exact) / done, 6),
            squared_error=round(error / done, 6),
        )
        for method, (matched, exact), error in zip(methods, counts, errors, strict=True)
    ]


def _count(
    model: Reconstructor, restored_BS: Tensor, packing: Packing, word_ids_N: Tensor
) -> tuple[int, int]:
    predicted_NW = model.decode(restored_BS, packing).float()
    matched_N = model.words.is_nearest(predicted_NW, word_ids_N)
    exact_B = packing.unpack(matched_N, packing.num_steps, fill=True).all(dim=1)
    return int(matched_N.sum()), int(exact_B.sum())


def by_size(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, most bytes first, of equal ones the best first."""
    return sorted(rows, key=lambda row: (-row.num_bytes, -row.matched_words))


def table_of(rows: Sequence[Row], title: str) -> Table:
    """Return the rows as a terminal table."""
    table = Table(title=title)
    for name in ("method", "bytes", "ratio", "words", "exact", "squared error"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for row in by_size(rows):
        table.add_row(
            row.method,
            f"{row.num_bytes:,}",
            f"{row.ratio:.1f}",
            f"{row.matched_word_rate:.2%}",
            f"{row.exact_sentence_rate:.2%}",
            f"{row.squared_error:.4f}",
        )
    return table


def as_json(rows: Sequence[Row], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the rows with what they were measured on."""
    return {**facts, "methods": [asdict(row) for row in by_size(rows)]}
