"""The straightforward port of the paper: what one writes before thinking of speed.

The network is Figure 2 drawn in code: one linear layer on the concatenation of input and tanh of
the state, step by step over the padded batch, gradients by autograd, everything in float32. A word
is matched when the argmax of all its cosines is its own row. The mathematics is that of
`SentenceAutoencoder` with `first_step: bias_term` and no dropout, which a test proves; only the
way to compute it differs.

Shapes: B sentences, T words, W word_dim, I input size, H hidden_size, N words inside the
sentences, V vocab_size.
"""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rrnn_lit.models.autoencoder import SentenceAutoencoder, valid_positions
from rrnn_lit.models.baselines import reverse_words
from rrnn_lit.models.residual_rnn import ResidualRNN


class NaiveCell(nn.Module):
    """One residual step on a concatenated input.

    Args:
        input_size: I.
        hidden_size: H.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.branch = nn.Linear(input_size + hidden_size, hidden_size)
        self.update = nn.Linear(hidden_size, hidden_size)
        self.first = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, input_BI: Tensor, state_BH: Tensor | None) -> Tensor:
        """Return the state after a word; None is the state before the first."""
        if state_BH is None:
            none_BH = input_BI.new_zeros(len(input_BI), len(self.first))
            branch_BH = self.branch(torch.cat([input_BI, none_BH], dim=1)) + self.first
            return self._update(branch_BH)
        branch_BH = self.branch(torch.cat([input_BI, torch.tanh(state_BH)], dim=1))
        return state_BH + self._update(branch_BH)

    def _update(self, branch_BH: Tensor) -> Tensor:
        updated_BH: Tensor = self.update(torch.tanh(branch_BH))
        return updated_BH

    if TYPE_CHECKING:
        __call__ = forward


class NaivePort(nn.Module):
    """Encoder and decoder as loops over the words of a padded batch.

    Args:
        word_dim: W, length of a word vector.
        hidden_size: H, width of encoder, decoder and sentence vector.
    """

    def __init__(self, word_dim: int, hidden_size: int) -> None:
        super().__init__()
        self.encoder = NaiveCell(word_dim, hidden_size)
        self.sentence_vector = nn.Linear(hidden_size, hidden_size)
        self.decoder = NaiveCell(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, word_dim)

    def forward(self, word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return predicted_BTW, zero beyond a sentence's length."""
        state_BH = None
        states = []
        for word_BW in reverse_words(word_vectors_BTW, lengths_B).unbind(dim=1):
            state_BH = self.encoder(word_BW, state_BH)
            states.append(state_BH)
        rows_B = torch.arange(len(lengths_B), device=lengths_B.device)
        last_BH = torch.stack(states, dim=1)[rows_B, lengths_B - 1]
        sentence_vector_BH = torch.tanh(self.sentence_vector(torch.tanh(last_BH)))
        state_BH = None
        states = []
        for _ in range(word_vectors_BTW.shape[1]):
            state_BH = self.decoder(sentence_vector_BH, state_BH)
            states.append(state_BH)
        predicted_BTW = self.output(torch.tanh(torch.stack(states, dim=1)))
        valid_BT = valid_positions(lengths_B, word_vectors_BTW.shape[1])
        return torch.where(valid_BT[..., None], predicted_BTW, 0.0)

    if TYPE_CHECKING:
        __call__ = forward

    @torch.no_grad()
    def copy_weights(self, autoencoder: SentenceAutoencoder) -> None:
        """Take the weights of our model, whose `first_step` is `bias_term`."""
        encoder, decoder = autoencoder.encoder, autoencoder.decoder
        _copy_cell(self.encoder, encoder.rnn)
        _copy_cell(self.decoder, decoder.rnn)
        self.sentence_vector.load_state_dict(encoder.sentence_vector.state_dict())
        self.output.load_state_dict(decoder.output.state_dict())

    def gradients(self) -> dict[str, Tensor]:
        """Return the gradients under the names of `SentenceAutoencoder`'s parameters."""
        return {
            **_cell_gradients("encoder.rnn", self.encoder),
            **_cell_gradients("decoder.rnn", self.decoder),
            "encoder.sentence_vector.weight": _gradient(self.sentence_vector.weight),
            "encoder.sentence_vector.bias": _gradient(self.sentence_vector.bias),
            "decoder.output.weight": _gradient(self.output.weight),
            "decoder.output.bias": _gradient(self.output.bias),
        }


def _copy_cell(cell: NaiveCell, layer: ResidualRNN) -> None:
    cell.branch.weight.copy_(torch.cat([layer.weight_x, layer.weight_h], dim=1))
    cell.branch.bias.copy_(layer.bias_1)
    cell.update.weight.copy_(layer.weight_2)
    cell.update.bias.copy_(layer.bias_2)
    cell.first.copy_(layer.bias_0)


def _cell_gradients(prefix: str, cell: NaiveCell) -> dict[str, Tensor]:
    joined = _gradient(cell.branch.weight)
    hidden_size = len(cell.first)
    named = {
        "weight_x": joined[:, :-hidden_size],
        "weight_h": joined[:, -hidden_size:],
        "weight_2": _gradient(cell.update.weight),
        "bias_0": _gradient(cell.first),
        "bias_1": _gradient(cell.branch.bias),
        "bias_2": _gradient(cell.update.bias),
    }
    return {f"{prefix}.{name}": gradient for name, gradient in named.items()}


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def masked_loss(predicted_BTW: Tensor, target_BTW: Tensor, counted_BT: Tensor) -> Tensor:
    """Return half the squared error of the counted words (bool) over the number of sentences."""
    squared_BT = (predicted_BTW - target_BTW).square().sum(dim=2)
    return 0.5 * (squared_BT * counted_BT).sum() / len(counted_BT)


class NaiveMatch:
    """Matching by the full matrix of cosines and its argmax.

    Of two words with parallel vectors the higher row never matches, and float32 decides near ties.

    Args:
        vectors_VW: the dictionary.
    """

    def __init__(self, vectors_VW: Tensor) -> None:
        self.unit_VW = F.normalize(vectors_VW.float(), dim=1)

    @torch.no_grad()
    def __call__(self, predicted_NW: Tensor, target_ids_N: Tensor) -> Tensor:
        """Return which predictions are nearest to their target, bool (N,)."""
        logits_NV = F.normalize(predicted_NW, dim=1) @ self.unit_VW.T
        return logits_NV.argmax(dim=1) == target_ids_N
