"""Dropout with one mask for all words of a sentence (author's implementation, decision D-2).

Shapes: B sentences, T words, H hidden_size.
"""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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

    def forward(self, inputs: Tensor) -> Tensor:
        """Return `inputs`, shape (B, H) or (B, T, H), with the mask applied in training mode."""
        if not self.training or self.p == 0:
            return inputs
        if not self.locked or inputs.dim() == 2:
            return F.dropout(inputs, self.p)
        mask_B1H = torch.empty_like(inputs[:, :1]).bernoulli_(1 - self.p) / (1 - self.p)
        return inputs * mask_B1H

    if TYPE_CHECKING:
        __call__ = forward
