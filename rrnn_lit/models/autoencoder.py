"""SentenceAutoencoder: word vectors -> one sentence vector -> word vectors (paper 2.1, 2.4).

The decoder is not autoregressive: it sees the sentence vector at every step and never a word.
Which words the predicted vectors stand for is decided by the dictionary (`words/nearest.py`).

Inside, words are packed rows (`models/packing.py`); nothing is computed for padding. The cell is
the paper's unless the shape names another one (`models/cells.py`); everything around it is the
same then.

Shapes: B sentences, T words of the longest, N words of all sentences, W word_dim, H hidden_size,
S sentence_vector_size.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from rrnn_lit.models.cells import Cell, EncoderOrder, check_cell, make_reader, make_writer
from rrnn_lit.models.dropout import LockedDropout
from rrnn_lit.models.initialisation import Initialisation, initialise_weight
from rrnn_lit.models.packing import Packing
from rrnn_lit.models.recurrence import FirstStep
from rrnn_lit.models.scaling import Factors
from rrnn_lit.models.weight_gradients import WeightGradients, linear

DropoutPosition = Literal["output", "before_tanh"]


def valid_positions(lengths_B: Tensor, num_steps: int) -> Tensor:
    """Return a bool mask (B, T), True at the words of each sentence."""
    return torch.arange(num_steps, device=lengths_B.device) < lengths_B[:, None]


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

    @property
    def wants(self) -> Literal["states", "activations"]:
        """What the layer must hand over; the tanh is cheapest inside its loop."""
        return "activations" if self.position == "output" else "states"

    def forward(self, values: Tensor, packing: Packing | None = None) -> Tensor:
        """Return activations of the shape of `values`, which are what `wants` says.

        Args:
            values: one row a sentence, (B, H), or packed rows, (N, H).
            packing: of packed rows; None for one row a sentence.
        """
        if self.position == "output":
            return self.dropout(values, packing)
        return torch.tanh(self.dropout(values, packing))

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
        cell: `residual` is the paper; see `models/cells.py`.
        residual: whether the residual cell has its identity path.
        encoder_order: `reversed`: the encoder reads the last word first (the paper).
        middle_layer: whether a linear layer and tanh make the sentence vector of the encoder's
            output (the paper); otherwise it is that output, and S is H.
    """

    word_dim: int
    hidden_size: int
    sentence_vector_size: int | None
    first_step: FirstStep
    dropout: float
    dropout_locked: bool
    dropout_position: DropoutPosition
    cell: Cell = "residual"
    residual: bool = True
    encoder_order: EncoderOrder = "reversed"
    middle_layer: bool = True


class SentenceEncoder(nn.Module):
    """Reads a sentence and returns its vector; every component is in (-1, 1).

    Without middle layer and with dropout in training, kept components are scaled beyond that.
    """

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        size = shape.sentence_vector_size or shape.hidden_size
        self.reverse = shape.encoder_order == "reversed"
        # its parameters are those of its cell
        self.rnn: Any = make_reader(
            shape.cell, shape.word_dim, shape.hidden_size, shape.first_step, shape.residual
        )
        self.activation = OutputActivation(
            shape.dropout, shape.dropout_locked, shape.dropout_position
        )
        self.middle_layer = shape.middle_layer
        if shape.middle_layer:
            self.sentence_vector = nn.Linear(shape.hidden_size, size)

    def forward(self, word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return sentence_vector_BS.

        Args:
            word_vectors_BTW: the words of each sentence in reading order, EOS last; values
                beyond a sentence's length are ignored.
            lengths_B: number of words, EOS included, at least 1, int64; best on the host.
        """
        packing = Packing.of(lengths_B, word_vectors_BTW.device)
        return self.encode(packing.pack(word_vectors_BTW), packing)

    def encode(self, word_vectors_NW: Tensor, packing: Packing) -> Tensor:
        """Return sentence_vector_BS of packed words, in the order of the batch."""
        last_BH = self.rnn.read(word_vectors_NW, packing, self.reverse, self.activation.wants)
        vectors_BS = self.activation(last_BH)
        if self.middle_layer:
            vectors_BS = torch.tanh(linear(self.sentence_vector, vectors_BS, self.rnn.deferred))
        return vectors_BS[packing.ranks_B]

    if TYPE_CHECKING:
        __call__ = forward


class SentenceDecoder(nn.Module):
    """Turns sentence vectors back into word vectors in reading order."""

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        size = shape.sentence_vector_size or shape.hidden_size
        self.rnn: Any = make_writer(
            shape.cell, size, shape.hidden_size, shape.first_step, shape.residual
        )
        self.activation = OutputActivation(
            shape.dropout, shape.dropout_locked, shape.dropout_position
        )
        self.output = nn.Linear(shape.hidden_size, shape.word_dim)

    def forward(self, sentence_vector_BS: Tensor, num_steps: int) -> Tensor:
        """Return predicted_BTW for `num_steps` positions, no activation on it (section 2.1)."""
        lengths_B = torch.full((len(sentence_vector_BS),), num_steps)
        packing = Packing.of(lengths_B, sentence_vector_BS.device)
        return packing.unpack(self.decode(sentence_vector_BS, packing), num_steps)

    def decode(self, sentence_vector_BS: Tensor, packing: Packing) -> Tensor:
        """Return packed predicted_NW for as many positions as each sentence has words."""
        inputs_BS = sentence_vector_BS[packing.order_B]
        values_NH = self.rnn.write(inputs_BS, packing, self.activation.wants)
        activations_NH = self.activation(values_NH, packing)
        return linear(self.output, activations_NH, self.rnn.deferred)

    if TYPE_CHECKING:
        __call__ = forward


class SentenceAutoencoder(nn.Module):
    """Encoder and decoder; `6 H^2 + (2 W + 7) H + W` parameters when S = H and as in the paper.

    Args:
        shape: sizes and switches.

    Raises:
        ValueError: a size is below 1, the dropout is outside [0, 1), or an option does not go
            with the cell.
    """

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        for name in ("word_dim", "hidden_size", "sentence_vector_size"):
            value = getattr(shape, name)
            if value is not None and value < 1:
                raise ValueError(f"model.{name}: wanted a number of at least 1, got {value}")
        check_cell(shape.cell, shape.hidden_size, asdict(shape))
        if not shape.middle_layer and shape.sentence_vector_size not in (None, shape.hidden_size):
            raise ValueError(
                "model.sentence_vector_size: wanted null with model.middle_layer false, where "
                f"the vector is as wide as the encoder; got {shape.sentence_vector_size}"
            )
        self.cell = shape.cell
        self.encoder = SentenceEncoder(shape)
        self.decoder = SentenceDecoder(shape)

    def initialise(
        self,
        kind: Initialisation,
        feed_forward_scale: float,
        recurrent_scale: float,
        factors: Mapping[str, Factors] | None = None,
    ) -> None:
        """Draw all weights anew from torch's global generator; all biases become 0.

        For the residual cell; networks with another one keep the weights that torch gave them,
        which suit them.

        Args:
            kind: see `initialise_weight`.
            feed_forward_scale: scale of W_x, W_2, W_s and W_o.
            recurrent_scale: scale of W_h.
            factors: on these scales, by parameter; None for none.
        """
        if self.cell != "residual":
            return
        for name, parameter in self.named_parameters():
            if parameter.dim() == 1:
                nn.init.zeros_(parameter)
                continue
            scale = recurrent_scale if name.endswith("weight_h") else feed_forward_scale
            initialise_weight(parameter, kind, scale * (factors[name].init if factors else 1.0))

    def defer_weight_gradients(self, deferred: WeightGradients) -> None:
        """Send the gradients of all weight matrices to `deferred` instead of `.grad`.

        Biases keep theirs. Whatever is not finite in a factor of a weight gradient is a summand of
        that layer's bias gradient or, for the decoder's inputs, reaches those of the encoder:
        finite bias gradients mean finite weight gradients.
        """
        self.encoder.rnn.deferred = self.decoder.rnn.deferred = deferred

    def forward(self, word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return predicted_BTW; positions beyond a sentence's length are exactly zero.

        Args:
            word_vectors_BTW: as the encoder reads them.
            lengths_B: number of words, EOS included, at least 1, int64; best on the host.
        """
        packing = Packing.of(lengths_B, word_vectors_BTW.device)
        predicted_NW = self.reconstruct(packing.pack(word_vectors_BTW), packing)
        return packing.unpack(predicted_NW, word_vectors_BTW.shape[1])

    def reconstruct(self, word_vectors_NW: Tensor, packing: Packing) -> Tensor:
        """Return packed predicted_NW of packed words."""
        return self.decoder.decode(self.encoder.encode(word_vectors_NW, packing), packing)

    if TYPE_CHECKING:
        __call__ = forward
