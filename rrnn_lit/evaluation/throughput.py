"""How fast sentences become vectors and vectors sentences, with the conditions of the measurement.

Encoding begins with word_ids: no text is processed. Decoding is given the number of words, as in
all figures of a report, and includes the search for the nearest dictionary words.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.loading import Batch, EvaluationBatches
from rrnn_lit.data.token_store import TokenStore
from rrnn_lit.evaluation.evaluate import Integers, Reconstructor
from rrnn_lit.models.packing import Packing

_MOST = 512  # sentences that are timed
_PASSES = 3


@dataclass(frozen=True)
class Speed:
    """Medians over some passes over the same sentences, after one that is not timed.

    Attributes:
        encode_sentences_per_second: word_ids to sentence vectors.
        encode_words_per_second: the same in words, EOS included.
        decode_sentences_per_second: sentence vectors to word_ids.
        decode_words_per_second: the same in words.
        num_sentences: sentences of a pass.
        num_words: their words.
        batch_size: sentences at a time, of similar length.
        passes: timed passes.
        threads: of torch on the host.
        device: its name.
        dtype: of weights and arithmetic.
        vocab_size: dictionary words that are searched.
    """

    encode_sentences_per_second: float
    encode_words_per_second: float
    decode_sentences_per_second: float
    decode_words_per_second: float
    num_sentences: int
    num_words: int
    batch_size: int
    passes: int
    threads: int
    device: str
    dtype: str
    vocab_size: int


def measure_speed(
    parts: CodecParts,
    store: TokenStore,
    sentences: Integers,
    batch_size: int,
    device: torch.device,
) -> Speed:
    """Time a model on the first sentences given, at most 512.

    Args:
        parts: the model; its compressor takes no part.
        store: the split.
        sentences: rows of the store.
        batch_size: sentences at a time.
        device: where to compute.
    """
    sentences = sentences[:_MOST]
    model = Reconstructor(parts, device)
    batches = EvaluationBatches(store, sentences, batch_size, 0, 1)
    prepared = [_prepare(batches[number], device) for number in range(len(batches))]
    vectors = [model.encode(*given) for given in prepared]

    def encode() -> None:
        for given in prepared:
            model.encode(*given)

    def decode() -> None:
        for (_, packing), vectors_BS in zip(prepared, vectors, strict=True):
            model.words.nearest_word_ids(model.decode(vectors_BS, packing))

    num_words = int(store.lengths[sentences].sum())
    encode_seconds, decode_seconds = (
        _median_seconds(encode, device),
        _median_seconds(decode, device),
    )
    return Speed(
        encode_sentences_per_second=len(sentences) / encode_seconds,
        encode_words_per_second=num_words / encode_seconds,
        decode_sentences_per_second=len(sentences) / decode_seconds,
        decode_words_per_second=num_words / decode_seconds,
        num_sentences=len(sentences),
        num_words=num_words,
        batch_size=min(batch_size, len(sentences)),
        passes=_PASSES,
        threads=torch.get_num_threads(),
        device=device_name(device),
        dtype=str(next(parts.autoencoder.parameters()).dtype).removeprefix("torch."),
        vocab_size=parts.word_vectors.vocab_size,
    )


def device_name(device: torch.device) -> str:
    """Return `cpu`, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _prepare(batch: Batch, device: torch.device) -> tuple[Tensor, Packing]:
    packing = Packing.of(batch["lengths_B"], device)
    return packing.pack(batch["word_ids_BT"].to(device)), packing


def _median_seconds(work: Callable[[], None], device: torch.device) -> float:
    seconds = []
    for _ in range(1 + _PASSES):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])
