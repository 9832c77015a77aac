"""The residual recurrent layer: a plain network with an identity path (paper section 2.4).

    h_1 = W_2 tanh(W_x x_1 + b_1 + b_0) + b_2
    h_t = h_{t-1} + W_2 tanh(W_x x_t + W_h tanh(h_{t-1}) + b_1) + b_2        t > 1

`h` is the pre-activation state (the paper's p in Figure 2); the next layer sees `tanh(h)`. The
concatenation drawn in Figure 2 equals the sum `W_x x + W_h tanh(h)`.
Without its identity path (`residual` off, an ablation) a step is
`h_t = W_2 tanh(W_x x_t + W_h tanh(h_{t-1}) + b_1) + b_2`, with the same parameters.
The layer applies neither dropout nor the output tanh; those belong to encoder and decoder. How
the steps are computed is in `models/recurrence.py`.

Shapes: B sentences, T words, N words of all sentences, I input size (word_dim, or
sentence_vector_size in the decoder), H hidden_size.
"""

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from rrnn_lit.models.packing import Packing
from rrnn_lit.models.recurrence import Course, FirstStep, Result, recur
from rrnn_lit.models.weight_gradients import WeightGradients


class ResidualRNN(nn.Module):
    """One residual recurrent layer.

    Args:
        input_size: I, length of an input vector.
        hidden_size: H, width of state and residual branch.
        first_step: `bias_term`: `b_0` replaces the recurrent term of the first step and nothing is
            added outside (author's implementation); `learned_state`: `b_0` is the state before
            the first step, identity path included. Same number of parameters (decision D-3).
        residual: whether there is an identity path.
    """

    def __init__(
        self, input_size: int, hidden_size: int, first_step: FirstStep, residual: bool = True
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.first_step = first_step
        self.residual = residual
        self.weight_x = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_h = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.weight_2 = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias_0 = nn.Parameter(torch.zeros(hidden_size))
        self.bias_1 = nn.Parameter(torch.zeros(hidden_size))
        self.bias_2 = nn.Parameter(torch.zeros(hidden_size))
        self.deferred: WeightGradients | None = None

    def forward(self, inputs_BTI: Tensor) -> Tensor:
        """Return the states after every word of sentences of equal length, (B, T, H).

        They are fp32, or float64 where the weights are.
        """
        batch_size, num_steps, _ = inputs_BTI.shape
        packing = Packing.of(torch.full((batch_size,), num_steps), inputs_BTI.device)
        # of equal length, sentences keep their order: positions first is all that packing means
        inputs_NI = inputs_BTI.transpose(0, 1).flatten(0, 1)
        states_NH = self._recur(inputs_NI, packing, False, False, "states")
        states_BTH: Tensor = states_NH.unflatten(0, (num_steps, batch_size)).transpose(0, 1)
        return states_BTH

    def read(
        self,
        inputs_NI: Tensor,
        packing: Packing,
        reverse: bool,
        result: Literal["states", "activations"],
    ) -> Tensor:
        """Return states or activations after reading each sentence, (B, H), by rank.

        Args:
            inputs_NI: packed rows.
            packing: of the rows.
            reverse: from the last word to the first.
            result: which of the two.
        """
        last_BH = self._recur(inputs_NI, packing, reverse, False, "last")
        return torch.tanh(last_BH) if result == "activations" else last_BH

    def read_backwards(self, inputs_NI: Tensor, packing: Packing) -> Tensor:
        """Return the states after reading each sentence from its last word to its first, (B, H).

        Inputs are packed rows; the result is by rank.
        """
        return self.read(inputs_NI, packing, True, "states")

    def write(self, inputs_BI: Tensor, packing: Packing, result: Result) -> Tensor:
        """Return the packed states or activations (N, H) of steps that all see the same input.

        The input of each sentence, by rank, is projected once, not once per step.
        """
        return self._recur(inputs_BI, packing, False, True, result)

    def _recur(
        self, inputs: Tensor, packing: Packing, reverse: bool, shared_input: bool, result: Result
    ) -> Tensor:
        first = self.weight_x, self.bias_1, self.bias_0
        parameters = *first, self.weight_h, self.weight_2, self.bias_2
        course = Course.over(
            packing,
            reverse,
            shared_input,
            self.first_step,
            result,
            self.deferred,
            self.residual,
        )
        return recur(inputs, parameters, course)

    if TYPE_CHECKING:
        __call__ = forward
