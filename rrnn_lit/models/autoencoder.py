"""SentenceAutoencoder: word vectors -> one sentence vector -> word vectors (paper 2.1, 2.4).

The decoder is not autoregressive: it sees the sentence vector at every step and never a word.
Which words the predicted vectors stand for is decided by the dictionary (`words/nearest.py`).

Shapes: B sentences, T words of the longest, W word_dim, H hidden_size, S sentence_vector_size.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from rrnn_lit.models.dropout import LockedDropout
from rrnn_lit.models.initialisation import Initialisation, initialise_weight
from rrnn_lit.models.residual_rnn import FirstStep, ResidualRNN

DropoutPosition = Literal["output", "before_tanh"]


def valid_positions(lengths_B: Tensor, num_steps: int) -> Tensor:
    """Return a bool mask (B, T), True at the words of each sentence."""
    return torch.arange(num_steps, device=lengths_B.device) < lengths_B[:, None]


def reverse_words(word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
    """Return the words of each sentence in reverse, inside its true length: EOS comes first."""
    steps_T = torch.arange(word_vectors_BTW.shape[1], device=word_vectors_BTW.device)
    source_BT = (lengths_B[:, None] - 1 - steps_T).clamp(min=0)
    return word_vectors_BTW.gather(1, source_BT[..., None].expand_as(word_vectors_BTW))


class OutputActivation(nn.Module):
    """tanh and dropout on a recurrent layer's states.

    Args:
        dropout: probability of dropping a unit, 0 disables.
        locked: one mask for all time steps (decision D-2).
        position: `output` drops `tanh(h)` (the paper), `before_tanh` drops `h` (the author's
            implementation); decision D-1.
    """

    def __init__(self, dropout: float, locked: bool, position: DropoutPosition) -> None:
        super().__init__()
        self.dropout = LockedDropout(dropout, locked)
        self.position = position

    def forward(self, states: Tensor) -> Tensor:
        """Return activations of the shape of `states`."""
        if self.position == "output":
            return self.dropout(torch.tanh(states))
        return torch.tanh(self.dropout(states))

    if TYPE_CHECKING:
        __call__ = forward


@dataclass(frozen=True)
class AutoencoderShape:
    """Sizes and switches of a SentenceAutoencoder.

    Attributes:
        word_dim: W, length of a word vector.
        hidden_size: H, width of encoder and decoder.
        sentence_vector_size: S; None means equal to hidden_size (decision D-4).
        first_step: see `ResidualRNN`.
        dropout: probability of dropping an output unit of encoder or decoder, 0 disables.
        dropout_locked: one mask for all time steps.
        dropout_position: `output` or `before_tanh`, see `OutputActivation`.
    """

    word_dim: int
    hidden_size: int
    sentence_vector_size: int | None
    first_step: FirstStep
    dropout: float
    dropout_locked: bool
    dropout_position: DropoutPosition


class SentenceEncoder(nn.Module):
    """Reads a sentence in reverse and returns its vector; every component is in (-1, 1)."""

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        size = shape.sentence_vector_size or shape.hidden_size
        self.rnn = ResidualRNN(shape.word_dim, shape.hidden_size, shape.first_step)
        self.activation = OutputActivation(
            shape.dropout, shape.dropout_locked, shape.dropout_position
        )
        self.sentence_vector = nn.Linear(shape.hidden_size, size)

    def forward(self, word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return sentence_vector_BS.

        Args:
            word_vectors_BTW: the words of each sentence in reading order, EOS last; values
                beyond a sentence's length are ignored.
            lengths_B: number of words, EOS included, at least 1, int64.
        """
        states_BTH = self.rnn(reverse_words(word_vectors_BTW, lengths_B))
        rows = torch.arange(len(lengths_B), device=lengths_B.device)
        last_BH = states_BTH[rows, lengths_B - 1]
        return torch.tanh(self.sentence_vector(self.activation(last_BH)))

    if TYPE_CHECKING:
        __call__ = forward


class SentenceDecoder(nn.Module):
    """Turns sentence vectors back into word vectors in reading order."""

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        size = shape.sentence_vector_size or shape.hidden_size
        self.rnn = ResidualRNN(size, shape.hidden_size, shape.first_step)
        self.activation = OutputActivation(
            shape.dropout, shape.dropout_locked, shape.dropout_position
        )
        self.output = nn.Linear(shape.hidden_size, shape.word_dim)

    def forward(self, sentence_vector_BS: Tensor, num_steps: int) -> Tensor:
        """Return predicted_BTW for `num_steps` positions, no activation on it (section 2.1)."""
        states_BTH = self.rnn.forward_constant(sentence_vector_BS, num_steps)
        predicted_BTW: Tensor = self.output(self.activation(states_BTH))
        return predicted_BTW

    if TYPE_CHECKING:
        __call__ = forward


class SentenceAutoencoder(nn.Module):
    """Encoder and decoder; `6 H^2 + (2 W + 7) H + W` parameters when S = H.

    Args:
        shape: sizes and switches.

    Raises:
        ValueError: a size is below 1 or the dropout is outside [0, 1).
    """

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        for name in ("word_dim", "hidden_size", "sentence_vector_size"):
            value = getattr(shape, name)
            if value is not None and value < 1:
                raise ValueError(f"model.{name}: wanted a number of at least 1, got {value}")
        self.encoder = SentenceEncoder(shape)
        self.decoder = SentenceDecoder(shape)

    def initialise(
        self, kind: Initialisation, feed_forward_scale: float, recurrent_scale: float
    ) -> None:
        """Draw all weights anew from torch's global generator; all biases become 0.

        Args:
            kind: see `initialise_weight`.
            feed_forward_scale: scale of W_x, W_2, W_s and W_o.
            recurrent_scale: scale of W_h.
        """
        for name, parameter in self.named_parameters():
            if parameter.dim() == 1:
                nn.init.zeros_(parameter)
            elif name.endswith("weight_h"):
                initialise_weight(parameter, kind, recurrent_scale)
            else:
                initialise_weight(parameter, kind, feed_forward_scale)

    def forward(self, word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return predicted_BTW; positions beyond a sentence's length are exactly zero."""
        num_steps = word_vectors_BTW.shape[1]
        sentence_vector_BS = self.encoder(word_vectors_BTW, lengths_B)
        predicted_BTW = self.decoder(sentence_vector_BS, num_steps)
        # selected, not multiplied: an infinity times zero would be NaN
        valid_BT = valid_positions(lengths_B, num_steps)
        return torch.where(valid_BT[..., None], predicted_BTW, 0.0)

    if TYPE_CHECKING:
        __call__ = forward
