"""Decoding of vectors: lengths, ends, foreign vectors."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from rrnn_lit.codec.decoding import decode_given, decode_until_end
from rrnn_lit.codec.network import Network
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.models.packing import Packing
from rrnn_lit.text.detokenize import detokenize
from tests.codec.parts import MAX_WORDS, tiny_parts

PARTS = tiny_parts()
CODEC = SentenceCodec(PARTS)
NETWORK = Network(PARTS, "cpu", "float32")
STEPS = 45  # three stages
VECTORS = np.random.default_rng(3).uniform(-1, 1, (12, 24)).astype(np.float32)


def nearest(vector: np.ndarray, num_steps: int) -> list[int]:
    """Brute force: the word of the largest cosine at each step."""
    packing = Packing.of(torch.tensor([num_steps]), torch.device("cpu"))
    predicted_TW = PARTS.autoencoder.decoder.decode(torch.from_numpy(vector)[None], packing)
    words_VW = torch.tensor(PARTS.word_vectors.vectors_VW).double()
    words_VW /= words_VW.norm(dim=1, keepdim=True)
    ids: list[int] = (predicted_TW.double() @ words_VW.T).argmax(dim=1).tolist()
    return ids


WORDS = [nearest(vector, STEPS) for vector in VECTORS]


def test_given_lengths_are_decoded_to_so_many_words() -> None:
    lengths = np.array([1, 45, 7, 3, 3, 20, 1, 2, 40, 5, 6, 16])
    found = decode_given(NETWORK, torch.from_numpy(VECTORS), lengths, 5)
    assert found == [words[:n] for words, n in zip(WORDS, lengths, strict=True)]


# any word can play the end mark: the more frequent it is, the earlier sentences end
@pytest.mark.parametrize("end", sorted({word for words in WORDS for word in words[::4]}))
@pytest.mark.parametrize("max_steps", [1, 8, 16, 17, STEPS])
def test_a_sentence_ends_before_its_first_end_mark(end: int, max_steps: int) -> None:
    found = decode_until_end(NETWORK, torch.from_numpy(VECTORS), end, max_steps)
    wanted = [words[:max_steps] for words in WORDS]
    assert found == [w[: w.index(end)] if end in w else w for w in wanted]


def test_without_end_mark_a_sentence_has_the_longest_length() -> None:
    assert PARTS.word_vectors.eos_id not in WORDS[0][:STEPS]
    assert len(CODEC.decode_words(VECTORS[:1])[0]) == MAX_WORDS
    assert len(CODEC.decode_words(VECTORS[:1], max_steps=STEPS)[0]) == STEPS
    assert CODEC.decode_words(VECTORS[:1], max_steps=3) == [
        PARTS.word_vectors.decode(WORDS[0][:3])
    ]


def test_text_is_the_words_to_read() -> None:
    assert CODEC.decode(VECTORS) == [detokenize(words) for words in CODEC.decode_words(VECTORS)]


def with_end_mark_at(place: int) -> SentenceCodec:
    """A codec whose dictionary calls a word of the first sentence EOS."""
    word_id, eos_id = WORDS[0][place], PARTS.word_vectors.eos_id
    stored = np.array(PARTS.word_vectors.vectors_VW)
    stored[[word_id, eos_id]] = stored[[eos_id, word_id]]
    word_vectors = type(PARTS.word_vectors)(PARTS.word_vectors.words, stored)
    return SentenceCodec(replace(PARTS, word_vectors=word_vectors))


def test_with_given_length_only_a_last_end_mark_is_left_out() -> None:
    place = WORDS[0].index(WORDS[0][-1])
    codec = with_end_mark_at(place)
    words = PARTS.word_vectors.decode(WORDS[0][:place])
    assert codec.decode_words(VECTORS[:1], [place + 1]) == [words]
    assert codec.decode_words(VECTORS[:1], [place + 2])[0][: place + 1] == [*words, "EOS"]
    assert codec.decode_words(VECTORS[:1], max_steps=STEPS) == [words]


@pytest.mark.parametrize(
    "foreign",
    [
        VECTORS.astype(np.float64),
        VECTORS.astype(">f4"),
        np.asfortranarray(VECTORS),
        VECTORS[::-1][::-1],
        torch.from_numpy(VECTORS),
        torch.from_numpy(VECTORS).requires_grad_(),
        VECTORS.tolist(),
    ],
    ids=["float64", "big endian", "columns first", "view", "tensor", "gradient", "list"],
)
def test_vectors_of_any_make_are_decoded(foreign: Any) -> None:
    assert CODEC.decode(foreign) == CODEC.decode(VECTORS)


def test_short_formats_are_decoded_as_their_values() -> None:
    half = VECTORS.astype(np.float16)
    assert CODEC.decode(half) == CODEC.decode(half.astype(np.float32))
    brain = torch.from_numpy(VECTORS).bfloat16()
    assert CODEC.decode(brain) == CODEC.decode(brain.float())


def test_a_file_that_cannot_be_written_to_is_decoded() -> None:
    frozen = VECTORS.copy()
    frozen.flags.writeable = False
    assert CODEC.decode(frozen) == CODEC.decode(VECTORS)


def test_the_zero_vector_has_words() -> None:
    assert CODEC.decode_words(np.zeros((1, 24))) == [
        PARTS.word_vectors.decode(nearest(np.zeros(24, np.float32), MAX_WORDS))
    ]


def test_a_prediction_without_direction_is_unk() -> None:
    parts = tiny_parts()
    for weight in parts.autoencoder.decoder.parameters():
        weight.zero_()
    codec = SentenceCodec(parts)
    assert codec.decode_words(VECTORS[:1]) == [["UNK"] * MAX_WORDS]
    assert codec.decode_words(VECTORS[:1], [2]) == [["UNK", "UNK"]]


def bad(value: float) -> np.ndarray:
    vectors = VECTORS.astype(np.float64)
    vectors[4, 7] = value
    return vectors


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (bad(np.nan), r"vectors\[4\]: wanted finite numbers, got nan"),
        (bad(-np.inf), r"vectors\[4\]: wanted finite numbers, got -inf"),
        (bad(1e300), r"vectors\[4\]: wanted finite numbers, got 1e\+300"),
        (VECTORS[:, :23], "vectors: wanted 24 numbers in each, got 23"),
        (VECTORS[0], r"vectors: wanted an array of shape \(number, 24\), got \(24,\)"),
        (VECTORS[None], r"vectors: wanted an array of shape \(number, 24\), got \(1, 12, 24\)"),
        (VECTORS.astype(int), "vectors: wanted numbers of a floating format, got int64"),
        (["word1"], "vectors: wanted numbers of a floating format"),
    ],
)
def test_bad_vectors_are_named(vectors: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CODEC.decode(vectors)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_words": [1, 2]}, "num_words: wanted 12 whole numbers, one a vector"),
        ({"num_words": [1.5] * 12}, "num_words: wanted 12 whole numbers"),
        ({"num_words": 3}, "num_words: wanted 12 whole numbers"),
        ({"num_words": [1, 0, *[3] * 10]}, r"num_words\[1\]: wanted 1 or more"),
        ({"max_steps": 0}, "max_steps: wanted a whole number of at least 1, got 0"),
        ({"batch_size": True}, "batch_size: wanted a whole number of at least 1, got True"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CODEC.decode(VECTORS, **options)
