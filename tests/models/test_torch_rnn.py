"""Torch's layers on packed rows.

Shapes: B sentences, T words, N words of all sentences, I input size, H hidden_size.
"""

from typing import get_args

import pytest
import torch

from rrnn_lit.models.packing import Packing
from rrnn_lit.models.torch_rnn import Kind, TorchRNN, backward_rows

KINDS = get_args(Kind)
LENGTHS = torch.tensor([3, 7, 1, 5, 7])
PACKING = Packing.of(LENGTHS, torch.device("cpu"))


@pytest.mark.parametrize("reverse", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_reading_equals_the_layer_run_sentence_by_sentence(kind: Kind, reverse: bool) -> None:
    rnn = TorchRNN(kind, 4, 6).double()
    words_BTI = torch.randn(5, 7, 4, dtype=torch.float64)
    last_BH = rnn.read(PACKING.pack(words_BTI), PACKING, reverse, "activations")[PACKING.ranks_B]
    for words_TI, length, last_H in zip(words_BTI, LENGTHS.tolist(), last_BH, strict=True):
        words_TI = words_TI[:length]
        outputs_TH, _ = rnn.layer(words_TI.flip(0) if reverse else words_TI)
        torch.testing.assert_close(last_H, outputs_TH[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_writing_equals_the_layer_run_sentence_by_sentence(kind: Kind) -> None:
    rnn = TorchRNN(kind, 4, 6).double()
    vectors_BI = torch.randn(5, 4, dtype=torch.float64)
    outputs_NH = rnn.write(vectors_BI[PACKING.order_B], PACKING, "activations")
    outputs_BTH = PACKING.unpack(outputs_NH, 7)
    for vector_I, length, outputs_TH in zip(
        vectors_BI, LENGTHS.tolist(), outputs_BTH, strict=True
    ):
        wanted_TH, _ = rnn.layer(vector_I.expand(length, -1))
        torch.testing.assert_close(outputs_TH[:length], wanted_TH)


def test_backward_rows_turn_each_sentence_around() -> None:
    numbers_BT = torch.arange(5)[:, None] * 10 + torch.arange(7)
    turned_BT = PACKING.unpack(PACKING.pack(numbers_BT)[backward_rows(PACKING)], 7, fill=-1)
    for row, length in enumerate(LENGTHS.tolist()):
        assert turned_BT[row, :length].tolist() == numbers_BT[row, :length].flip(0).tolist()
