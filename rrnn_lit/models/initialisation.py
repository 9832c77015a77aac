"""Initial weights: 15 incoming connections per unit (author's implementation, decision D-8).

Shapes: O outputs (rows), I inputs (columns) of a weight matrix.
"""

import math
from typing import Literal

import torch
from torch import Tensor

INPUTS_PER_UNIT = 15
Initialisation = Literal["sparse", "dense"]


@torch.no_grad()
def initialise_weight(weight_OI: Tensor, kind: Initialisation, scale: float) -> None:
    """Fill a weight matrix in place from torch's global generator.

    Args:
        weight_OI: the matrix; every row holds the incoming weights of one unit.
        kind: `sparse`: exactly min(15, I) non-zero weights a row at random positions, each from
            N(0, scale^2); `dense`: all weights from a normal distribution of equal expected row
            norm.
        scale: standard deviation of the non-zero weights of the sparse form, > 0.
    """
    num_outputs, num_inputs = weight_OI.shape
    count = min(INPUTS_PER_UNIT, num_inputs)
    if kind == "dense":
        weight_OI.normal_(0.0, scale * math.sqrt(count / num_inputs))
        return
    weight_OI.zero_()
    for row in range(num_outputs):
        # a row's positions are drawn without replacement; a full permutation of 10,000 inputs
        # for each of 10,000 rows would take minutes
        positions = _distinct_positions(num_inputs, count)
        weight_OI[row, positions] = torch.randn(count).mul_(scale).to(weight_OI)


def _distinct_positions(num_inputs: int, count: int) -> Tensor:
    if num_inputs < 4 * count:
        return torch.randperm(num_inputs)[:count]
    drawn = torch.randint(num_inputs, (count,))
    while len(drawn.unique()) < count:
        drawn = torch.randint(num_inputs, (count,))
    return drawn
