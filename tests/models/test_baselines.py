"""GRU and LSTM autoencoders do the same task as ours.

Shapes: B sentences, T words, W word_dim, H hidden_size.
"""

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.baselines import (
    BASELINES,
    Cell,
    equal_parameter_size,
    reverse_words,
)

CELLS: list[Cell] = ["gru", "lstm"]
LENGTHS = torch.tensor([4, 1, 3])


def words(num_words: int = 4) -> Tensor:
    return torch.randn(3, num_words, 5, dtype=torch.float64)


def num_parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def ours(hidden_size: int, word_dim: int = 300) -> int:
    shape = AutoencoderShape(word_dim, hidden_size, None, "bias_term", 0.0, True, "output")
    with torch.device("meta"):
        return num_parameters(SentenceAutoencoder(shape))


# GRU, W = 2, H = 3: encoder 3 (2*3 + 3*3 + 2*3) = 63, vector 12, decoder 3 (9 + 9 + 6) = 72,
# output 8; LSTM: 4 (21) = 84, 12, 4 (24) = 96, 8
@pytest.mark.parametrize(("cell", "count"), [("gru", 155), ("lstm", 200)])
def test_parameters_equal_the_count_by_hand(cell: Cell, count: int) -> None:
    assert num_parameters(BASELINES[cell](2, 3)) == count


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden_size", [1, 7, 512, 1024])
def test_no_width_is_nearer_to_our_number_of_parameters(cell: Cell, hidden_size: int) -> None:
    wanted = ours(hidden_size)
    width = equal_parameter_size(cell, 300, hidden_size)

    def distance(candidate: int) -> int:
        with torch.device("meta"):
            return abs(num_parameters(BASELINES[cell](300, candidate)) - wanted)

    others = [distance(other) for other in (width - 1, width + 1) if other > 0]
    assert distance(width) <= min(others)


def test_words_are_reversed_inside_their_sentence() -> None:
    words_BTW = torch.tensor([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [9.0]]])
    reversed_BTW = reverse_words(words_BTW, torch.tensor([3, 2]))
    assert reversed_BTW[0, :, 0].tolist() == [3.0, 2.0, 1.0]
    assert reversed_BTW[1, :2, 0].tolist() == [5.0, 4.0]


@pytest.mark.parametrize("cell", CELLS)
def test_equals_the_layers_run_sentence_by_sentence(cell: Cell) -> None:
    model = BASELINES[cell](5, 6).double()
    words_BTW = words()
    predicted_BTW = model(words_BTW, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        states_1TH, _ = model.encoder(words_BTW[row, :length].flip(0)[None])
        vector_H = torch.tanh(model.sentence_vector(states_1TH[0, -1]))
        states_1TH, _ = model.decoder(torch.stack([vector_H] * length)[None])
        torch.testing.assert_close(predicted_BTW[row, :length], model.output(states_1TH[0]))


@pytest.mark.parametrize("cell", CELLS)
def test_sentence_alone_equals_sentence_in_a_batch(cell: Cell) -> None:
    model = BASELINES[cell](5, 6).double()
    words_BTW = words()
    together_TW = model(words_BTW, LENGTHS)[2, :3]
    torch.testing.assert_close(model(words_BTW[2:, :3], LENGTHS[2:])[0], together_TW)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_counts_for_nothing(cell: Cell) -> None:
    model = BASELINES[cell](5, 6).double()
    words_BTW = words()
    predicted_BTW = model(words_BTW, LENGTHS)
    assert (predicted_BTW[1, 1:] == 0).all()
    words_BTW[1, 1:], words_BTW[2, 3:] = 1e3, -1e3
    assert torch.equal(model(words_BTW, LENGTHS), predicted_BTW)


@pytest.mark.parametrize("cell", CELLS)
def test_every_weight_learns_from_the_first_word_on(cell: Cell) -> None:
    model = BASELINES[cell](5, 6).double()
    words_BTW = words().requires_grad_()
    model(words_BTW, LENGTHS).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
    assert words_BTW.grad is not None
    assert torch.equal(words_BTW.grad.any(dim=2), torch.arange(4) < LENGTHS[:, None])
