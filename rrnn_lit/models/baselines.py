"""GRU and LSTM autoencoders: the same task, interface and loss with the usual recurrent layers.

As in `SentenceAutoencoder` the encoder reads a sentence backwards, a linear layer and tanh make
the sentence vector of its last state, and the decoder sees that vector at every step and never a
word. Sentence vector and recurrent layers have the same width H. No dropout, no sparse
initialisation: the layers are torch's own with torch's own initial weights.

Shapes: B sentences, T words of the longest, W word_dim, H hidden_size.
"""

import math
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor, nn

from rrnn_lit.models.autoencoder import valid_positions

Cell = Literal["gru", "lstm"]
_GATES: dict[Cell, int] = {"gru": 3, "lstm": 4}


def reverse_words(word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
    """Return the words of each sentence backwards; positions beyond its length are arbitrary."""
    steps_T = torch.arange(word_vectors_BTW.shape[1], device=word_vectors_BTW.device)
    source_BT = (lengths_B[:, None] - 1 - steps_T).clamp(min=0)
    return word_vectors_BTW.gather(1, source_BT[..., None].expand_as(word_vectors_BTW))


class _GatedAutoencoder(nn.Module):
    """Encoder and decoder of torch's recurrent layers.

    Args:
        word_dim: W, length of a word vector.
        hidden_size: H, width of encoder, decoder and sentence vector.
    """

    layer: ClassVar[type[nn.GRU] | type[nn.LSTM]]

    def __init__(self, word_dim: int, hidden_size: int) -> None:
        super().__init__()
        self.encoder = self.layer(word_dim, hidden_size, batch_first=True)
        self.sentence_vector = nn.Linear(hidden_size, hidden_size)
        self.decoder = self.layer(hidden_size, hidden_size, batch_first=True)
        self.output = nn.Linear(hidden_size, word_dim)

    def forward(self, word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return predicted_BTW; positions beyond a sentence's length are exactly zero.

        Args:
            word_vectors_BTW: the words of each sentence in reading order, EOS last; values
                beyond a sentence's length are ignored.
            lengths_B: number of words, EOS included, at least 1, int64.
        """
        num_steps = word_vectors_BTW.shape[1]
        states_BTH, _ = self.encoder(reverse_words(word_vectors_BTW, lengths_B))
        rows_B = torch.arange(len(lengths_B), device=lengths_B.device)
        last_BH = states_BTH[rows_B, lengths_B - 1]
        sentence_vector_BH = torch.tanh(self.sentence_vector(last_BH))
        # torch's layers project their input at every step, equal or not
        inputs_BTH = sentence_vector_BH[:, None].expand(-1, num_steps, -1)
        states_BTH, _ = self.decoder(inputs_BTH)
        predicted_BTW = self.output(states_BTH)
        return torch.where(valid_positions(lengths_B, num_steps)[..., None], predicted_BTW, 0.0)

    if TYPE_CHECKING:
        __call__ = forward


class GRUAutoencoder(_GatedAutoencoder):
    """`10 H^2 + (4 W + 13) H + W` parameters."""

    layer = nn.GRU


class LSTMAutoencoder(_GatedAutoencoder):
    """`13 H^2 + (5 W + 17) H + W` parameters."""

    layer = nn.LSTM


BASELINES: dict[Cell, type[GRUAutoencoder] | type[LSTMAutoencoder]] = {
    "gru": GRUAutoencoder,
    "lstm": LSTMAutoencoder,
}


def equal_parameter_size(cell: Cell, word_dim: int, hidden_size: int) -> int:
    """Return the width at which a baseline comes nearest to our number of parameters.

    Args:
        cell: which baseline.
        word_dim: W of both.
        hidden_size: width of the SentenceAutoencoder (sentence vector of the same size).
    """
    gates = _GATES[cell]
    wanted = 6 * hidden_size**2 + (2 * word_dim + 7) * hidden_size
    # a gate has an input and a recurrent matrix and two biases, in encoder and decoder
    square, linear = 3 * gates + 1, (gates + 1) * word_dim + 4 * gates + 1
    root = (math.sqrt(linear**2 + 4 * square * wanted) - linear) / (2 * square)
    below = math.floor(root)
    lower, upper = (square * n * n + linear * n for n in (below, below + 1))
    return max(1, below if wanted - lower <= upper - wanted else below + 1)
