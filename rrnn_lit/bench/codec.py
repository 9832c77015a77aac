"""`rrnn bench codec`: sentences a second from text to words, to vectors and back to words.

Four tables. Words of raw text beside the pipeline of `rrnn prepare`, which must give the same;
vectors of words in each precision beside the encoder as training's evaluation runs it and beside
one sentence at a time, with the largest difference from float64; vectors of raw text; words of
vectors at the given length, compared with brute force in float64. Weights are untrained unless a
bundle is given: what a sentence costs does not depend on them, except where a decoded end mark
would end it.

Shapes: B sentences, T words of each, W word_dim, S sentence_vector_size.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from rrnn_lit.bench.codec_data import (
    NUM_COMPARED,
    made_up_parts,
    made_up_sentences,
    true_vectors,
    true_words,
)
from rrnn_lit.bench.options import check_at_least, check_device
from rrnn_lit.bench.result import Peer, Row, make_rows
from rrnn_lit.bench.timing import time_peers
from rrnn_lit.codec.bundle import read_bundle
from rrnn_lit.codec.encoding import padded
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.codec.text_lines import read_lines
from rrnn_lit.models.packing import Packing
from rrnn_lit.text.pipeline import TextPipeline, TextSettings

CASE = "codec"
_FORMATS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
_CPU_DTYPES = ("bfloat16", "float32")  # fp16 products of a CPU are slow
_CUDA_DTYPES = ("float16", "bfloat16", "float32")
_ONE_BY_ONE = 64  # sentences that are timed one at a time
_Encode = Callable[[list[list[str]]], npt.NDArray[Any]]


@dataclass(frozen=True)
class CodecOptions:
    """Sizes of the model and of the text.

    Attributes:
        hidden_size: width of encoder and decoder; not used with a bundle.
        num_words: words of each sentence, the end mark included; at least 16.
        sentences: sentences encoded in each timed call, at least 64.
        vocab_size: words of the dictionary, at least 1000; not used with a bundle.
        word_dim: length of a word vector; not used with a bundle.
        batch_size: sentences computed at once, at least 1.
        bundle: folder that `rrnn export` wrote, whose model is timed; null makes one up.
        text: file of raw sentences, one a line, that are timed instead of made-up ones.
        repeats: timed calls of each peer, at least 1.
        seed: of weights and sentences, any non-negative integer.
        device: where the network runs, cpu or cuda.
    """

    hidden_size: int = 512
    num_words: int = 24
    sentences: int = 2_048
    vocab_size: int = 50_000
    word_dim: int = 300
    batch_size: int = 256
    bundle: str | None = None
    text: str | None = None
    repeats: int = 5
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        least = {"hidden_size": 1, "num_words": 16, "sentences": 64, "vocab_size": 1_000}
        check_at_least(self, least | {"word_dim": 8, "batch_size": 1, "repeats": 1, "seed": 0})
        check_device(self.device)


def run(options: CodecOptions) -> list[Row]:
    """Return the rows of all tables."""
    if options.bundle is None:
        parts = made_up_parts(
            options.hidden_size, options.vocab_size, options.word_dim, options.seed
        )
    else:
        parts = read_bundle(Path(options.bundle))
    lines = _lines(options, parts)
    dtypes = _CPU_DTYPES if options.device == "cpu" else _CUDA_DTYPES
    codecs: dict[str, SentenceCodec] = {
        dtype: SentenceCodec(parts, options.device, dtype)  # type: ignore[arg-type]
        for dtype in dtypes
    }
    words = next(iter(codecs.values())).words(lines)
    return [
        *_text_rows(parts, lines, words, options),
        *_encode_rows(codecs, words, options),
        *_whole_rows(codecs, lines, words, options),
        *_decode_rows(codecs, words, options),
    ]


def _lines(options: CodecOptions, parts: CodecParts) -> list[str]:
    if options.text is None:
        return made_up_sentences(parts, options.sentences, options.num_words, options.seed)
    lines = list(islice(read_lines(options.text), options.sentences))
    if len(lines) < options.sentences:
        raise ValueError(f"--text: wanted {options.sentences} lines, got {len(lines)}")
    return lines


def _sizes(words: list[list[str]], **more: int) -> dict[str, int]:
    average = round(sum(map(len, words)) / len(words)) + 1
    return {"sentences": len(words), "average_words": average, **more}


@dataclass(frozen=True)
class _Contender:
    """A call for a number of sentences, and what is known of it."""

    call: Callable[[], object]
    count: int
    correct: str
    precision: str


def _rows(
    sizes: dict[str, int], contenders: dict[str, _Contender], options: CodecOptions
) -> list[Row]:
    """Time the contenders; return rows, scaled to all sentences, with their rates as notes."""
    calls = {name: _ignoring_round(contender.call) for name, contender in contenders.items()}
    seconds = time_peers(calls, options.repeats, torch.device(options.device))
    rates = {name: contender.count / seconds[name] for name, contender in contenders.items()}
    peers = {
        name: Peer(c.correct, c.precision, note=f"{name}: {rates[name]:,.0f} sentences a second")
        for name, c in contenders.items()
    }
    scaled = {name: sizes["sentences"] / rate for name, rate in rates.items()}
    return make_rows(CASE, sizes, scaled, peers, next(iter(contenders)))


def _ignoring_round(call: Callable[[], object]) -> Callable[[int], object]:
    return lambda _: call()


def _text_rows(
    parts: CodecParts, lines: list[str], words: list[list[str]], options: CodecOptions
) -> list[Row]:
    """Raw text to words, with nothing remembered of earlier text and with all of it."""
    known = None if parts.known_words is None else frozenset(parts.known_words.split("\n")[:-1])
    prepare = TextPipeline(TextSettings(parts.text.tokenizer, 0.0, None, 1 << 30), known)
    codec = SentenceCodec(parts)
    same = sum((prepare(line) or []) == found for line, found in zip(lines, words, strict=True))
    correct = f"{same:,} of {len(lines):,} as prepared"
    calls: dict[str, Callable[[], object]] = {
        "ours": partial(codec.words, lines),
        "ours, nothing known": lambda: SentenceCodec(parts).words(lines),
        "rrnn prepare": lambda: [prepare(line) for line in lines],
    }
    contenders = {n: _Contender(call, len(lines), correct, "text") for n, call in calls.items()}
    return _rows(_sizes(words), contenders, options)


def _encode_rows(
    codecs: dict[str, SentenceCodec], words: list[list[str]], options: CodecOptions
) -> list[Row]:
    """Words to vectors."""
    parts = next(iter(codecs.values())).parts
    truth_BS = true_vectors(parts, words[:NUM_COMPARED])
    contenders = {}

    def add(name: str, encode: _Encode, some: list[list[str]], dtype: str) -> None:
        error = float(np.abs(encode(words[:NUM_COMPARED]) - truth_BS).max())
        contenders[f"{name} {dtype}"] = _Contender(
            partial(encode, some), len(some), f"off by {error:.1e} at most", _FORMATS[dtype]
        )

    for dtype, codec in codecs.items():
        encode = partial(codec.encode_words, longer="encode")
        add("ours", partial(encode, batch_size=options.batch_size), words, dtype)
        add("one at a time", partial(encode, batch_size=1), words[:_ONE_BY_ONE], dtype)
        add("evaluation of training", _Evaluation(parts, options, dtype).encode, words, dtype)
    size = next(iter(codecs.values())).sentence_vector_size
    sizes = _sizes(words, sentence_vector_size=size, batch_size=options.batch_size)
    return _rows(sizes, contenders, options)


class _Evaluation:
    """The encoder as training's evaluation calls it: batches as they come, under autocast."""

    def __init__(self, parts: CodecParts, options: CodecOptions, dtype: str) -> None:
        self._device, self._dtype = torch.device(options.device), getattr(torch, dtype)
        self._batch_size, self._words = options.batch_size, parts.word_vectors
        self._network = copy.deepcopy(parts.autoencoder).to(self._device)
        self._vectors_VW = torch.tensor(parts.word_vectors.vectors_VW).to(self._device)

    @torch.inference_mode()
    def encode(self, words: list[list[str]]) -> npt.NDArray[np.float32]:
        """Return one vector a sentence."""
        ids = [self._words.encode(sentence) for sentence in words]
        found = []
        mixed = self._dtype != torch.float32
        with torch.autocast(self._device.type, self._dtype, enabled=mixed):
            for start in range(0, len(ids), self._batch_size):
                word_ids_BT, lengths_B = padded(ids[start : start + self._batch_size])
                packing = Packing.of(lengths_B, self._device)
                word_ids_N = packing.pack(word_ids_BT.to(self._device))
                vectors_NW = self._vectors_VW[word_ids_N].float()
                found.append(self._network.encoder.encode(vectors_NW, packing).float().cpu())
        return np.asarray(torch.cat(found).numpy())


def _whole_rows(
    codecs: dict[str, SentenceCodec],
    lines: list[str],
    words: list[list[str]],
    options: CodecOptions,
) -> list[Row]:
    """Raw text to vectors, its chunks known."""
    contenders = {}
    for dtype, codec in codecs.items():
        encode = partial(codec.encode, lines, batch_size=options.batch_size, longer="encode")
        by_words = codec.encode_words(words, options.batch_size, longer="encode")
        equal = int((encode() == by_words).all(axis=1).sum())
        correct = f"{equal:,} of {len(lines):,} as from words"
        contenders[f"ours {dtype}"] = _Contender(encode, len(lines), correct, _FORMATS[dtype])
    sizes = _sizes(words, characters=sum(map(len, lines)), batch_size=options.batch_size)
    return _rows(sizes, contenders, options)


def _decode_rows(
    codecs: dict[str, SentenceCodec], words: list[list[str]], options: CodecOptions
) -> list[Row]:
    """Vectors to words, at the given length and until the end mark."""
    some = words[: max(NUM_COMPARED, len(words) // 8)]
    lengths = [len(sentence) + 1 for sentence in some]
    parts = next(iter(codecs.values())).parts
    contenders = {}
    for dtype, codec in codecs.items():
        vectors_BS = codec.encode_words(some, longer="encode")
        given = partial(codec.decode_words, vectors_BS, lengths)
        free = partial(codec.decode_words, vectors_BS)
        truth = true_words(parts, vectors_BS[:NUM_COMPARED], lengths)
        rows = zip(given()[:NUM_COMPARED], truth, strict=True)
        # a word that one of the two does not have is wrong
        pairs = [pair for row in rows for pair in zip_longest(*row)]
        wrong = sum(found != true for found, true in pairs)
        correct = f"{wrong:,} of {len(pairs):,} words wrong"
        precision = _FORMATS[dtype]
        contenders[f"ours {dtype}, given length"] = _Contender(
            given, len(some), correct, precision
        )
        found = sum(map(len, free())) / len(some)
        contenders[f"ours {dtype}, until the end"] = _Contender(
            free, len(some), f"{found:.0f} words a sentence", precision
        )
    return _rows(_sizes(some, vocab_size=parts.word_vectors.vocab_size), contenders, options)
