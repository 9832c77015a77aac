"""Parts of the Transformer; what it does as an autoencoder is in test_cells.py.

Shapes: B sentences, T words, N words of all sentences, I input size, H hidden_size.
"""

import math

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.packing import Packing
from rrnn_lit.models.transformer import (
    PositionedInput,
    TransformerReader,
    TransformerWriter,
    waves,
)

LENGTHS = torch.tensor([3, 5, 1])
PACKING = Packing.of(LENGTHS, torch.device("cpu"))


def test_positions_are_sines_and_cosines_of_falling_rates() -> None:
    wanted = [
        [math.sin(2), math.sin(2 / 100), math.cos(2), math.cos(2 / 100)],
        [math.sin(3), math.sin(3 / 100), math.cos(3), math.cos(3 / 100)],
    ]
    got_TH = waves(4, torch.zeros(1, 4))[2:]
    torch.testing.assert_close(got_TH, torch.tensor(wanted))


def test_inputs_of_any_scale_are_as_large_as_the_positions() -> None:
    embedding = PositionedInput(6, 8)
    torch.nn.init.zeros_(embedding.linear.bias)
    inputs_BTI = torch.randn(2, 3, 6)
    large_BTH = embedding(1e3 * inputs_BTI, 3)
    torch.testing.assert_close(embedding(inputs_BTI, 3), large_BTH, rtol=1e-3, atol=1e-3)


def reference(writer: TransformerWriter, vector_I: Tensor, length: int) -> Tensor:
    """The outputs (T, H) of one sentence, attention weight by attention weight."""
    states_TH = writer.embedding(vector_I[None, None], length)[0]
    for layer in writer.layers.layers:
        normed_TH = layer.norm1(states_TH)
        attention = layer.self_attn
        queries, keys, values = (normed_TH @ attention.in_proj_weight.T).chunk(3, dim=1)
        heads = []
        for part in range(4):
            q, k, v = (x.unflatten(1, (4, -1))[:, part] for x in (queries, keys, values))
            rows = [
                torch.softmax(q[t] @ k[: t + 1].T / math.sqrt(q.shape[1]), dim=0) @ v[: t + 1]
                for t in range(length)
            ]
            heads.append(torch.stack(rows))
        states_TH = states_TH + attention.out_proj(torch.cat(heads, dim=1))
        hidden = torch.nn.functional.gelu(layer.linear1(layer.norm2(states_TH)))
        states_TH = states_TH + layer.linear2(hidden)
    norm = writer.layers.norm
    assert norm is not None
    result_TH: Tensor = norm(states_TH)
    return result_TH


def test_writing_equals_attention_computed_word_by_word() -> None:
    writer = TransformerWriter(6, 8).double()
    vectors_BI = torch.randn(3, 6, dtype=torch.float64)
    outputs_NH = writer.write(vectors_BI[PACKING.order_B], PACKING, "activations")
    outputs_BTH = PACKING.unpack(outputs_NH, 5)
    for vector_I, length, outputs_TH in zip(
        vectors_BI, LENGTHS.tolist(), outputs_BTH, strict=True
    ):
        wanted_TH = reference(writer, vector_I, length)
        torch.testing.assert_close(outputs_TH[:length], wanted_TH)


@pytest.mark.parametrize("training", [True, False])
def test_reading_gives_each_sentence_its_vector_by_rank(training: bool) -> None:
    reader = TransformerReader(6, 8).double().train(training)
    words_BTI = torch.randn(3, 5, 6, dtype=torch.float64)
    with torch.set_grad_enabled(training):  # torch has a path of its own without gradients
        pooled_BH = reader.read(PACKING.pack(words_BTI), PACKING, True, "activations")
        for rank, sentence in enumerate(PACKING.order_B.tolist()):
            alone = Packing.of(LENGTHS[sentence : sentence + 1], torch.device("cpu"))
            words_TI = words_BTI[sentence, : int(LENGTHS[sentence])]
            wanted_1H = reader.read(words_TI, alone, True, "activations")
            torch.testing.assert_close(pooled_BH[rank], wanted_1H[0])
