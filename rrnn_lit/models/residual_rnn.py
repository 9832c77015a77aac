"""The residual recurrent layer: a plain network with an identity path (paper section 2.4).

    h_1 = W_2 tanh(W_x x_1 + b_1 + b_0) + b_2
    h_t = h_{t-1} + W_2 tanh(W_x x_t + W_h tanh(h_{t-1}) + b_1) + b_2        t > 1

`h` is the pre-activation state (the paper's p in Figure 2); the next layer sees `tanh(h)`. The
concatenation drawn in Figure 2 equals the sum `W_x x + W_h tanh(h)`.
The layer applies neither dropout nor the output tanh; those belong to encoder and decoder.

Shapes: B sentences, T words, I input size (word_dim, or sentence_vector_size in the decoder),
H hidden_size.
"""

from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FirstStep = Literal["bias_term", "learned_state"]


class ResidualRNN(nn.Module):
    """One residual recurrent layer.

    Args:
        input_size: I, length of an input vector.
        hidden_size: H, width of state and residual branch.
        first_step: `bias_term`: `b_0` replaces the recurrent term of the first step and nothing is
            added outside (author's implementation); `learned_state`: `b_0` is the state before
            the first step, identity path included. Same number of parameters (decision D-3).
    """

    def __init__(self, input_size: int, hidden_size: int, first_step: FirstStep) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.first_step = first_step
        self.weight_x = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_h = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.weight_2 = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias_0 = nn.Parameter(torch.zeros(hidden_size))
        self.bias_1 = nn.Parameter(torch.zeros(hidden_size))
        self.bias_2 = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, inputs_BTI: Tensor) -> Tensor:
        """Return the states after every word, (B, T, H), fp32 or fp64."""
        projected_BTH = F.linear(inputs_BTI, self.weight_x, self.bias_1)
        return self._unroll(list(projected_BTH.unbind(dim=1)))

    def forward_constant(self, input_BI: Tensor, num_steps: int) -> Tensor:
        """Return the states of `num_steps` steps that all see the same input, (B, num_steps, H).

        The input is projected once, not once per step.
        """
        projected_BH = F.linear(input_BI, self.weight_x, self.bias_1)
        return self._unroll([projected_BH] * num_steps)

    def _unroll(self, projected: list[Tensor]) -> Tensor:
        """Run the recurrence over projected inputs (B, H), one a step."""
        # cast once a sentence: autocast would cast the weights anew at every word
        weight_h, weight_2, bias_2 = (
            w.to(projected[0].dtype) for w in (self.weight_h, self.weight_2, self.bias_2)
        )

        def residual(branch_BH: Tensor) -> Tensor:
            update_BH = F.linear(torch.tanh(branch_BH), weight_2, bias_2)
            # the state is a sum of up to 60 updates: 16-bit sums would drop the small ones
            return update_BH if update_BH.dtype == torch.float64 else update_BH.float()

        def step(state_BH: Tensor, projected_BH: Tensor) -> Tensor:
            recurrent_BH = F.linear(torch.tanh(state_BH), weight_h)
            return state_BH + residual(projected_BH + recurrent_BH)

        if self.first_step == "learned_state":
            states = [step(self.bias_0.expand_as(projected[0]), projected[0])]
        else:
            states = [residual(projected[0] + self.bias_0)]
        for projected_BH in projected[1:]:
            states.append(step(states[-1], projected_BH))
        return torch.stack(states, dim=1)

    if TYPE_CHECKING:
        __call__ = forward
