"""Our network with autograd's gradients: a loop over words as one writes it with some care.

The inputs are projected outside the loop and the weights are cast once a batch, so that the
difference to `SentenceAutoencoder` is its hand-written gradient and its rows without padding.

Shapes: B sentences, T words, W word_dim, I input size, H hidden_size.
"""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rrnn_lit.models.autoencoder import SentenceAutoencoder, valid_positions
from rrnn_lit.models.baselines import reverse_words
from rrnn_lit.models.residual_rnn import ResidualRNN


def unroll(layer: ResidualRNN, projected: list[Tensor]) -> Tensor:
    """Return the states after every step, (B, T, H), fp32 or float64.

    Args:
        layer: the weights, `first_step: bias_term`.
        projected: `W_x x + b_1` of every step, (B, H) each.
    """
    # cast once a batch: autocast would cast the weights anew at every word
    weight_h, weight_2, bias_2 = (
        w.to(projected[0].dtype) for w in (layer.weight_h, layer.weight_2, layer.bias_2)
    )

    def update(branch_BH: Tensor) -> Tensor:
        update_BH = F.linear(torch.tanh(branch_BH), weight_2, bias_2)
        return update_BH if update_BH.dtype == torch.float64 else update_BH.float()

    states = [update(projected[0] + layer.bias_0)]
    for projected_BH in projected[1:]:
        recurrent_BH = F.linear(torch.tanh(states[-1]), weight_h)
        states.append(states[-1] + update(projected_BH + recurrent_BH))
    return torch.stack(states, dim=1)


class LoopAutoencoder(nn.Module):
    """A SentenceAutoencoder's weights, run as a loop; without dropout.

    Args:
        autoencoder: whose parameters are used, not copied; `first_step: bias_term`.
    """

    def __init__(self, autoencoder: SentenceAutoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, word_vectors_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return predicted_BTW, zero beyond a sentence's length."""
        encoder, decoder = self.autoencoder.encoder, self.autoencoder.decoder
        num_steps = word_vectors_BTW.shape[1]
        backwards_BTW = reverse_words(word_vectors_BTW, lengths_B)
        projected_BTH = F.linear(backwards_BTW, encoder.rnn.weight_x, encoder.rnn.bias_1)
        states_BTH = unroll(encoder.rnn, list(projected_BTH.unbind(dim=1)))
        rows_B = torch.arange(len(lengths_B), device=lengths_B.device)
        last_BH = states_BTH[rows_B, lengths_B - 1]
        sentence_vector_BS = torch.tanh(encoder.sentence_vector(torch.tanh(last_BH)))
        projected_BH = F.linear(sentence_vector_BS, decoder.rnn.weight_x, decoder.rnn.bias_1)
        states_BTH = unroll(decoder.rnn, [projected_BH] * num_steps)
        predicted_BTW = decoder.output(torch.tanh(states_BTH))
        return torch.where(valid_positions(lengths_B, num_steps)[..., None], predicted_BTW, 0.0)

    if TYPE_CHECKING:
        __call__ = forward
