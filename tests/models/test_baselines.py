"""Other cells' numbers of parameters, and what plain loops use.

Shapes: B sentences, T words, W word_dim, H hidden_size.
"""

from typing import get_args

import pytest
import torch

from rrnn_lit.models.baselines import (
    baseline,
    equal_parameter_size,
    num_parameters,
    reverse_words,
)
from rrnn_lit.models.cells import Cell


def test_number_of_parameters_is_that_of_the_network() -> None:
    network = baseline("gru", 5, 6)
    assert num_parameters("gru", 5, 6) == sum(p.numel() for p in network.parameters())


def transformer(words: int, width: int) -> int:
    """Four layers of attention, feed-forward and norms; the rest part by part."""
    attention = 4 * width**2 + 4 * width
    layer = attention + 8 * width**2 + 5 * width + 4 * width
    both = 4 * layer + 2 * 2 * width  # a norm behind the layers
    inputs = (words * width + width) + (width * width + width) + 2 * 2 * width
    pooling = width + attention
    return both + inputs + pooling + (width * width + width) + (width * words + words)


# W = 2, H = 3. GRU: encoder 3 (2*3 + 3*3 + 2*3) = 63, vector 12, decoder 3 (9 + 9 + 6) = 72,
# output 8; LSTM: 4 (21) = 84, 12, 4 (24) = 96, 8; tanh: 21, 12, 24, 8;
# residual: 6 * 9 + 11 * 3 + 2
@pytest.mark.parametrize(
    ("cell", "count"), [("gru", 155), ("lstm", 200), ("tanh", 65), ("residual", 89)]
)
def test_parameters_equal_the_count_by_hand(cell: Cell, count: int) -> None:
    assert num_parameters(cell, 2, 3) == count


def test_parameters_of_the_transformer_equal_the_sum_of_its_parts() -> None:
    assert num_parameters("transformer", 300, 64) == transformer(300, 64)


@pytest.mark.parametrize("cell", get_args(Cell))
@pytest.mark.parametrize("hidden_size", [1, 7, 256, 512, 1024])
def test_no_width_is_nearer_to_our_number_of_parameters(cell: Cell, hidden_size: int) -> None:
    wanted = 6 * hidden_size**2 + 607 * hidden_size + 300
    width = equal_parameter_size(cell, 300, hidden_size)
    unit = 4 if cell == "transformer" else 1
    assert width % unit == 0
    others = [other for other in (width - unit, width + unit) if other > 0]
    distances = [abs(num_parameters(cell, 300, other) - wanted) for other in others]
    assert abs(num_parameters(cell, 300, width) - wanted) <= min(distances)


def test_our_own_cell_keeps_its_width() -> None:
    assert equal_parameter_size("residual", 300, 256) == 256


def test_words_are_reversed_inside_their_sentence() -> None:
    words_BTW = torch.tensor([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [9.0]]])
    reversed_BTW = reverse_words(words_BTW, torch.tensor([3, 2]))
    assert reversed_BTW[0, :, 0].tolist() == [3.0, 2.0, 1.0]
    assert reversed_BTW[1, :2, 0].tolist() == [5.0, 4.0]
