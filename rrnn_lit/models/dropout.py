"""Dropout with one mask for all words of a sentence (author's implementation, decision D-2).

Shapes: B sentences, N words of all sentences (packed rows), H hidden_size.
"""

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from rrnn_lit.models.packing import Packing


class LockedDropout(nn.Module):
    """Drop units with probability `p` and scale the kept ones by `1 / (1 - p)` in training.

    Args:
        p: probability of dropping a unit, 0 disables.
        locked: one mask per sentence and unit, reused at all time steps; otherwise every time
            step draws its own.
    """

    def __init__(self, p: float, locked: bool) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"model.dropout: wanted a probability in [0, 1), got {p}")
        self.p = p
        self.locked = locked

    def forward(self, inputs: Tensor, packing: Packing | None = None) -> Tensor:
        """Return `inputs` with the mask applied in training mode.

        Args:
            inputs: one row a sentence, (B, H), or packed rows, (N, H).
            packing: which sentence a packed row belongs to; None for one row a sentence.
        """
        if not self.training or self.p == 0:
            return inputs
        if not self.locked or packing is None:
            return F.dropout(inputs, self.p)
        kept_BH = inputs.new_empty(packing.num_sentences, inputs.shape[1]).bernoulli_(1 - self.p)
        # a scale in 16 bit would be off by the same factor in every unit
        return inputs * kept_BH[packing.ranks_N] * (1 / (1 - self.p))

    if TYPE_CHECKING:
        __call__ = forward
