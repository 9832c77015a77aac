"""Every cell in every precision, behind the same two methods."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from rrnn_lit.codec.network import Network
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.models.building import autoencoder_of
from rrnn_lit.models.packing import Packing
from tests.codec.parts import OPTIONS, fill, tiny_parts

CELLS = ["residual", "gru", "lstm", "tanh", "transformer"]
SENTENCES = [["word1"] * n for n in (3, 0, 7, 7, 2)] + [["word4", "word5", "word6"]]


def parts_of(cell: str) -> CodecParts:
    options: dict[str, Any] = {**OPTIONS, "cell": cell}
    autoencoder = autoencoder_of(options)
    fill(autoencoder, torch.Generator().manual_seed(1))
    return replace(tiny_parts(), autoencoder=autoencoder, autoencoder_options=options)


@pytest.mark.parametrize("cell", CELLS)
def test_a_sentence_alone_equals_a_sentence_in_a_batch(cell: str) -> None:
    codec = SentenceCodec(parts_of(cell))
    together = codec.encode_words(SENTENCES)
    alone = np.concatenate([codec.encode_words([sentence]) for sentence in SENTENCES])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)
    assert codec.decode_words(together) == [codec.decode_words([v])[0] for v in together]


@pytest.mark.parametrize("cell", CELLS)
def test_free_decoding_is_decoding_at_the_longest_length(cell: str) -> None:
    codec = SentenceCodec(parts_of(cell))
    vectors = codec.encode_words(SENTENCES)
    free = codec.decode_words(vectors, max_steps=30)
    given = codec.decode_words(vectors, [30] * len(vectors))
    assert [words[: words.index("EOS")] if "EOS" in words else words for words in given] == free


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_computes_in_sixteen_bits(cell: str, dtype: Any) -> None:
    parts = parts_of(cell)
    codec = SentenceCodec(parts, dtype=dtype)
    vectors = codec.encode_words(SENTENCES)
    wanted = SentenceCodec(parts).encode_words(SENTENCES)
    # eight bits of mantissa through the layers of a network with large weights
    np.testing.assert_allclose(vectors, wanted, rtol=0, atol=0.1)
    assert not np.array_equal(vectors, wanted)
    assert len(codec.decode_words(vectors)) == len(SENTENCES)


@pytest.mark.parametrize("lengths", [[1], [4, 4], [2, 7, 7, 1], [3] * 6])
def test_predictions_are_packed_like_their_sentences(lengths: list[int]) -> None:
    parts = tiny_parts()
    vectors_BS = torch.rand(len(lengths), 24)
    predicted_NW, packing = Network(parts, "cpu", "float32").decode(
        vectors_BS, torch.tensor(lengths)
    )
    wanted = Packing.of(torch.tensor(lengths), torch.device("cpu"))
    assert packing.step_sizes == wanted.step_sizes
    assert torch.equal(packing.rows_N, wanted.rows_N)
    torch.testing.assert_close(predicted_NW, parts.autoencoder.decoder.decode(vectors_BS, wanted))
