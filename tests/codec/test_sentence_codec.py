from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import rrnn_lit
from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.models.packing import Packing
from tests.codec.parts import MAX_WORDS, tiny_parts

PARTS = tiny_parts(compressor=True)
CODEC = SentenceCodec(PARTS)
SENTENCES = ["word3 word14 word1", "", "word7", "word9 " * 11, "word1, (word2) word3!"]
ODD = {
    "empty": "",
    "emoji": "\U0001f600 \U0001f600",
    "Chinese": "\u4f60\u597d\u4e16\u754c",
    "control characters": "\x00\x07word3\x1b",
    "lone surrogate": "\ud800",
    "unknown words": "qwertz asdf yxcv",
    "German": "Der Bahnhof wurde im Winter wegen der Br\u00fccke geschlossen.",
    "long token": "x" * 100_000,
    "line break": "word3\nword4",
    "marks only": "# * @",
}


def by_hand(words: list[str]) -> torch.Tensor:
    """The vector of one sentence by the network alone."""
    ids = PARTS.word_vectors.encode(words)
    vectors = np.asarray(PARTS.word_vectors.vectors_VW[ids], dtype=np.float32)
    packing = Packing.of(torch.tensor([len(ids)]), torch.device("cpu"))
    return PARTS.autoencoder.encoder.encode(torch.from_numpy(vectors), packing)[0]


def test_a_vector_is_what_the_encoder_makes_of_the_words() -> None:
    vectors = CODEC.encode(SENTENCES)
    assert vectors.dtype == np.float32
    for sentence, vector in zip(SENTENCES, vectors, strict=True):
        words = CODEC.words([sentence])[0]
        torch.testing.assert_close(torch.from_numpy(vector), by_hand(words), rtol=1e-5, atol=1e-6)


def test_words_are_those_of_the_text() -> None:
    wanted = [["word1", ",", "(", "word2", ")", "word3", "!"], []]
    assert CODEC.words([SENTENCES[4], ""]) == wanted
    assert np.array_equal(CODEC.encode_words(wanted), CODEC.encode([SENTENCES[4], ""]))


def test_a_sentence_alone_equals_a_sentence_in_a_batch() -> None:
    generator = np.random.default_rng(0)
    sentences = [
        [f"word{i}" for i in generator.integers(0, 50, generator.integers(0, MAX_WORDS))]
        for _ in range(256)
    ]
    together = CODEC.encode_words(sentences)
    alone = np.concatenate([CODEC.encode_words([sentence]) for sentence in sentences])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)
    assert CODEC.decode_words(together) == [CODEC.decode_words([v])[0] for v in alone]


@pytest.mark.parametrize("batch_size", [1, 3, 1_000])
def test_batch_size_changes_no_order(batch_size: int) -> None:
    wanted = CODEC.encode(SENTENCES)
    np.testing.assert_allclose(CODEC.encode(SENTENCES, batch_size), wanted, rtol=0, atol=1e-5)
    assert CODEC.decode(wanted, batch_size=batch_size) == CODEC.decode(wanted)
    lengths = [3, 1, 12, 5, 2]
    assert CODEC.decode_words(wanted, lengths, batch_size=batch_size) == CODEC.decode_words(
        wanted, lengths
    )


@pytest.mark.parametrize("name", ODD)
def test_no_text_is_refused_or_dropped(name: str) -> None:
    vectors = CODEC.encode([ODD[name], "word3"], longer="encode")
    assert vectors.shape == (2, CODEC.sentence_vector_size)
    assert np.isfinite(vectors).all()
    assert len(CODEC.decode(vectors)) == 2


def test_the_empty_sentence_is_the_end_mark_alone() -> None:
    torch.testing.assert_close(torch.from_numpy(CODEC.encode([""])[0]), by_hand([]))
    np.testing.assert_allclose(CODEC.encode(["", "# *"])[0], CODEC.encode([" \t"])[0], atol=1e-6)


def test_unknown_words_are_unk() -> None:
    assert np.array_equal(CODEC.encode(["qwertz"]), CODEC.encode(["asdf"]))
    torch.testing.assert_close(torch.from_numpy(CODEC.encode(["qwertz"])[0]), by_hand(["UNK"]))


def test_a_long_sentence_is_refused_or_encoded_whole() -> None:
    long = "word1 " * 10_000
    with pytest.raises(ValueError, match=r"sentences\[1\]: .* at most 12 words.*got 10001; long"):
        CODEC.encode(["word1", long])
    vector = CODEC.encode(["word1", long], longer="encode")[1]
    torch.testing.assert_close(
        torch.from_numpy(vector), by_hand(["word1"] * 10_000), rtol=1e-4, atol=1e-5
    )


def test_longest_sentence_of_the_training_is_the_limit() -> None:
    CODEC.encode(["word1 " * (MAX_WORDS - 1)])
    with pytest.raises(ValueError, match="got 13"):
        CODEC.encode(["word1 " * MAX_WORDS])
    without_facts = SentenceCodec(replace(PARTS, facts={}, text=replace(PARTS.text, max_words=5)))
    assert without_facts.max_words == 5


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ("word1", "sentences: wanted a list of sentences, got one str"),
        (["word1", 7], r"sentences\[1\]: wanted text, got int"),
        (["word1", None], r"sentences\[1\]: wanted text, got None"),
        (None, "sentences: wanted a list of sentences"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(sentences: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CODEC.encode(sentences)


@pytest.mark.parametrize("sentences", ["word1", ["word1"], [["word1", 3]], None])
def test_what_is_no_list_of_words_is_refused(sentences: Any) -> None:
    with pytest.raises(ValueError, match="sentences"):
        CODEC.encode_words(sentences)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size: wanted a whole number of at least 1, got 0"),
        ({"vectors": "int8"}, "vectors: wanted float32 or float16, got 'int8'"),
        ({"longer": "cut"}, "longer: wanted error or encode, got 'cut'"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CODEC.encode(["word1"], **options)


def test_no_sentences_give_no_vectors_and_back() -> None:
    assert CODEC.encode([]).shape == (0, 24)
    assert CODEC.decode(np.empty((0, 24), np.float32)) == []
    assert CODEC.decode_words(np.empty((0, 24), np.float32), []) == []
    assert CODEC.compress(np.empty((0, 24), np.float32)).shape == (0, 8)
    assert CODEC.reconstruct([]) == []


def test_half_precision_vectors_are_the_rounded_ones() -> None:
    half = CODEC.encode(SENTENCES, vectors="float16")
    assert half.dtype == np.float16
    assert np.array_equal(half, CODEC.encode(SENTENCES).astype(np.float16))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_other_precisions_come_close(dtype: Any) -> None:
    codec = SentenceCodec(PARTS, dtype=dtype)
    vectors = codec.encode(SENTENCES)
    assert vectors.dtype == np.float32
    # eight bits of mantissa in each of up to 24 products and sums
    np.testing.assert_allclose(vectors, CODEC.encode(SENTENCES), rtol=0, atol=5e-2)
    assert not np.array_equal(vectors, CODEC.encode(SENTENCES))
    assert all(codec.decode(vectors))


def test_a_codec_leaves_its_parts_as_they_are() -> None:
    before = {name: w.clone() for name, w in PARTS.autoencoder.state_dict().items()}
    SentenceCodec(PARTS, dtype="bfloat16").encode(SENTENCES)
    after = PARTS.autoencoder.state_dict()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu9"}, "device: wanted cpu, cuda or cuda:N, got 'tpu9'"),
        ({"device": "meta"}, "device: wanted cpu, cuda or cuda:N, got 'meta'"),
        ({"device": "cuda:99"}, "device: wanted one of the [0-9]+ CUDA devices here"),
        ({"dtype": "int8"}, "dtype: wanted auto, float32, bfloat16 or float16, got 'int8'"),
    ],
)
def test_unknown_devices_and_precisions_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SentenceCodec(PARTS, **options)


def test_a_bundle_loads_by_its_path(tmp_path: Path) -> None:
    write_bundle(PARTS, tmp_path / "bundle")
    codec = rrnn_lit.SentenceCodec.load(str(tmp_path / "bundle"))
    assert np.array_equal(codec.encode(SENTENCES), CODEC.encode(SENTENCES))
    assert codec.decode(codec.encode(SENTENCES)) == CODEC.decode(CODEC.encode(SENTENCES))


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bundle"):
        SentenceCodec.load(tmp_path)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["auto", "float32", "bfloat16"])
def test_cuda_comes_close_to_the_cpu(dtype: Any) -> None:
    codec = SentenceCodec(PARTS, "cuda", dtype)
    vectors = codec.encode(SENTENCES)
    np.testing.assert_allclose(vectors, CODEC.encode(SENTENCES), rtol=0, atol=5e-2)
    assert len(codec.decode(vectors)) == len(SENTENCES)
    assert codec.compress(vectors).shape == (5, 8)
    assert [r.words for r in codec.reconstruct(SENTENCES)] == [
        r.words for r in CODEC.reconstruct(SENTENCES)
    ]
