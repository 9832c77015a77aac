"""Sizes at which other cells compare with the paper's, and what plain loops need to run them.

Shapes: B sentences, T words of the longest, W word_dim.
"""

import torch
from torch import Tensor

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.cells import Cell
from rrnn_lit.models.transformer import NUM_HEADS


def baseline(cell: Cell, word_dim: int, hidden_size: int) -> SentenceAutoencoder:
    """Return a network of new weights without dropout whose sentence vector is as wide as it is.

    Args:
        cell: which network; see `models/cells.py`.
        word_dim: W.
        hidden_size: its width.
    """
    shape = AutoencoderShape(
        word_dim, hidden_size, None, "bias_term", 0.0, True, "output", cell=cell
    )
    return SentenceAutoencoder(shape)


def num_parameters(cell: Cell, word_dim: int, hidden_size: int) -> int:
    """Return the number of parameters of `baseline`, whose weights need no memory for it."""
    with torch.device("meta"):
        return sum(p.numel() for p in baseline(cell, word_dim, hidden_size).parameters())


def equal_parameter_size(cell: Cell, word_dim: int, hidden_size: int) -> int:
    """Return the width at which a cell comes nearest to the residual cell's number of parameters.

    Of two equally near ones, the smaller. A Transformer's width is a multiple of its heads.

    Args:
        cell: which network.
        word_dim: W of both.
        hidden_size: width of the network with the residual cell; both with vectors of their width.
    """
    unit = NUM_HEADS if cell == "transformer" else 1
    wanted = num_parameters("residual", word_dim, hidden_size)
    low, high = 1, 1  # in units; the number of parameters grows with the width
    while num_parameters(cell, word_dim, unit * high) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if num_parameters(cell, word_dim, unit * middle) < wanted:
            low = middle
        else:
            high = middle
    return min(
        (unit * low, unit * high),
        key=lambda width: abs(num_parameters(cell, word_dim, width) - wanted),
    )


def reverse_words(word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
    """Return the words of each sentence backwards; positions beyond its length are arbitrary."""
    steps_T = torch.arange(word_vectors_BTW.shape[1], device=word_vectors_BTW.device)
    source_BT = (lengths_B[:, None] - 1 - steps_T).clamp(min=0)
    return word_vectors_BTW.gather(1, source_BT[..., None].expand_as(word_vectors_BTW))
