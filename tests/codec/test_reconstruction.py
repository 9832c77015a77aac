import math

import numpy as np
import pytest
import torch

from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.text.detokenize import detokenize
from rrnn_lit.words.counting import Decoded, count_decoded, loose_classes
from tests.codec.parts import tiny_parts

PARTS = tiny_parts(compressor=True)
WORDS = PARTS.word_vectors


SENTENCES = ["word8 word2 word8", "word30 word31 word32 word33", "word9 nothing word9", ""]


def always(word: str) -> SentenceCodec:
    """A codec whose decoder predicts one word at every step."""
    parts = tiny_parts(compressor=True)
    for weight in parts.autoencoder.decoder.parameters():
        weight.zero_()
    vector_W = torch.tensor(WORDS.vectors_VW[WORDS.word_ids[word]])
    parts.autoencoder.decoder.output.bias.copy_(vector_W)
    return SentenceCodec(parts)


CODECS = {word: always(word) for word in ("word8", "EOS", "UNK")} | {"any": SentenceCodec(PARTS)}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", CODECS)
def test_flags_are_those_of_the_counts(name: str, compressed: bool) -> None:
    words = WORDS
    for found in CODECS[name].reconstruct(SENTENCES, compressed=compressed):
        target_T = torch.tensor([words.word_ids[word] for word in found.words])
        decoded_T = torch.tensor([words.word_ids.get(word, -1) for word in found.decoded])
        decoded = Decoded(
            target_T[None],
            decoded_T[None],
            torch.tensor(found.matched)[None],
            torch.tensor([len(target_T)]),
        )
        counts = count_decoded(decoded, loose_classes(words.words), words.eos_id, words.unk_id)
        assert sum(found.matched) == counts["matched_words"]
        assert sum(found.strict_matched) == counts["strict_matched_words"]
        assert found.exact == counts["exact_sentences"]
        assert found.strict_exact == counts["strict_exact_sentences"]


def test_words_and_text_are_those_of_decoding_at_the_given_length() -> None:
    codec = SentenceCodec(PARTS)
    lengths = [len(words) + 1 for words in codec.words(SENTENCES)]
    decoded = codec.decode_words(codec.encode(SENTENCES), lengths)
    found = codec.reconstruct(SENTENCES)
    assert [r.text for r in found] == [detokenize(words) for words in decoded]
    assert [r.decoded[: len(words)] for r, words in zip(found, decoded, strict=True)] == decoded
    assert found[2].words == ["word9", "UNK", "word9", "EOS"]


# decoder | sentence | matched | strictly matched | exact, strictly exact
FLAGS = [
    ("word8", 0, [1, 0, 1, 0], [1, 0, 1, 0], (False, False)),
    ("EOS", 0, [0, 0, 0, 1], [0, 0, 0, 0], (False, False)),
    ("UNK", 2, [0, 1, 0, 0], [0, 0, 0, 0], (False, False)),
    ("EOS", 3, [1], [0], (True, True)),
    ("UNK", 3, [0], [0], (False, False)),
]


@pytest.mark.parametrize(("name", "row", "matched", "strict", "exact"), FLAGS)
def test_flags_by_hand(
    name: str, row: int, matched: list[int], strict: list[int], exact: tuple[bool, bool]
) -> None:
    found = CODECS[name].reconstruct(SENTENCES)[row]
    assert found.matched == [bool(flag) for flag in matched]
    assert found.strict_matched == [bool(flag) for flag in strict]
    assert (found.exact, found.strict_exact) == exact


def test_cosines_are_those_of_the_predicted_vector() -> None:
    found = CODECS["word8"].reconstruct(SENTENCES)[0]
    assert found.words == ["word8", "word2", "word8", "EOS"]
    assert found.decoded == ["word8"] * 4
    vectors = WORDS.vectors_VW[[WORDS.word_ids[word] for word in found.words]].astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(found.cosines, vectors @ vectors[0], atol=1e-6)
    np.testing.assert_allclose(found.decoded_cosines, 1.0, atol=1e-6)


def test_compressed_vectors_are_decoded_as_they_come_back() -> None:
    codec = SentenceCodec(PARTS)
    lengths = [len(words) + 1 for words in codec.words(SENTENCES)]
    back = codec.decompress(codec.compress(codec.encode(SENTENCES)))
    wanted = codec.decode(back, lengths)
    assert [r.text for r in codec.reconstruct(SENTENCES, compressed=True)] == wanted
    assert [r.text for r in codec.reconstruct(SENTENCES)] != wanted


def test_a_prediction_without_direction_matches_nothing() -> None:
    parts = tiny_parts()
    for weight in parts.autoencoder.decoder.parameters():
        weight.zero_()
    (found,) = SentenceCodec(parts).reconstruct(["word1"])
    assert found.decoded == ["", ""]
    assert found.text == "UNK UNK"
    assert found.matched == [False, False]
    assert all(math.isnan(cosine) for cosine in found.cosines)


def test_without_compressor_nothing_is_compressed() -> None:
    with pytest.raises(ValueError, match="compressor: wanted a bundle with one"):
        SentenceCodec(tiny_parts()).reconstruct(SENTENCES, compressed=True)
