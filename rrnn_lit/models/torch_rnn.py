"""TorchRNN: torch's own GRU, LSTM and plain tanh layer on packed rows.

    tanh:   h_t = tanh(W_x x_t + b_x + W_h h_{t-1} + b_h)

The rows of a `Packing` are those of torch's `PackedSequence`: nothing is padded. Initial weights
are torch's own, uniform in +-1 / sqrt(H), which these layers are usually trained from.

Shapes: B sentences, N words of all sentences (packed rows), I input size, H hidden_size.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rrnn_lit.models.packing import Packing

Kind = Literal["gru", "lstm", "tanh"]
_LAYERS: dict[Kind, type[nn.GRU] | type[nn.LSTM] | type[nn.RNN]] = {
    "gru": nn.GRU,
    "lstm": nn.LSTM,
    "tanh": nn.RNN,
}


class TorchRNN(nn.Module):
    """One recurrent layer with the methods of `ResidualRNN`.

    Args:
        kind: which layer.
        input_size: I, length of an input vector.
        hidden_size: H, width of its state.
    """

    def __init__(self, kind: Kind, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.layer = _LAYERS[kind](input_size, hidden_size)
        self.deferred = None  # torch forms its own weight gradients

    def read(
        self,
        inputs_NI: Tensor,
        packing: Packing,
        reverse: bool,
        result: Literal["activations"],
    ) -> Tensor:
        """Return the outputs after reading each sentence, (B, H), by rank.

        Args:
            inputs_NI: packed rows.
            packing: of the rows.
            reverse: from the last word to the first.
            result: all that such a layer has.
        """
        if reverse:
            inputs_NI = inputs_NI[backward_rows(packing).to(inputs_NI.device)]
        state = self.layer(_packed(inputs_NI, packing))[1]
        last_1BH: Tensor = state[0] if isinstance(state, tuple) else state
        return last_1BH[0]

    def write(self, inputs_BI: Tensor, packing: Packing, result: Literal["activations"]) -> Tensor:
        """Return the packed outputs (N, H) of steps that all see the input of their sentence.

        Torch projects the input at every step, equal or not.

        Args:
            inputs_BI: one a sentence, by rank.
            packing: of the rows to write.
            result: all that such a layer has.
        """
        outputs: PackedSequence = self.layer(_packed(inputs_BI[packing.ranks_N], packing))[0]
        return outputs.data


def backward_rows(packing: Packing) -> Tensor:
    """Return the row whose word takes each row's place when sentences are read backwards.

    Int64 on the host; a permutation of the rows within each sentence.
    """
    sizes = np.array(packing.step_sizes)
    lengths_B = (sizes[:, None] > np.arange(sizes[0])).sum(axis=0)
    starts = sizes.cumsum() - sizes
    positions_N = np.repeat(np.arange(len(sizes)), sizes)
    ranks_N = np.concatenate([np.arange(size) for size in sizes])
    return torch.from_numpy(starts[lengths_B[ranks_N] - 1 - positions_N] + ranks_N)


def _packed(rows_NI: Tensor, packing: Packing) -> PackedSequence:
    assert packing.inside_N is None, "rows that only pad would count as words"
    return PackedSequence(rows_NI, torch.tensor(packing.step_sizes))
