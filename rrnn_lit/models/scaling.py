"""Width scaling: hyperparameters found at a small width stay good at a large one (muP).

The maximal-update parametrisation (Yang and Hu 2021; Yang et al. 2022) asks that every layer's
output changes by about the same amount in a step, whatever the width. Derived for this network
under ADAM, whose update of a weight does not depend on the size of the gradient, with
r = base_size / hidden_size:

- A unit sums its inputs, so an update moves a sum over H inputs H times as far as one of them:
  matrices with H inputs need a learning rate of r. W_x of the encoder sums over the word vector,
  whose length is fixed, and a bias is one summand: factor 1.
- 15 non-zero inputs a unit keep what a matrix gives at the start independent of the width, with no
  scaling. Only the output must start smaller, by sqrt(r), so that its updates, which all point
  one way, do not drown in what is random; dense weights of equal row norm behave alike.
- The gradient at the output matrix and bias does not depend on the width, all others shrink by r
  as they pass the output matrix: so does eps, which stands beside them in ADAM's quotient.

L2 is left alone: it is added to gradients that shrink by r, so the same coefficient weighs 1/r as
much at a larger width, and one that was searched at a small width does not transfer. The paper's
is too small to matter.

With `none` every factor is 1: the paper's parametrisation.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from torch import nn

Scaling = Literal["none", "mup"]
_INPUT_MATRIX = "encoder.rnn.weight_x"
_OUTPUT_MATRIX = "decoder.output.weight"
_OUTPUT_BIAS = "decoder.output.bias"


@dataclass(frozen=True)
class Factors:
    """What a parameter's options are multiplied with.

    Attributes:
        init: on the scale of the initial weights.
        learning_rate: on ADAM's learning rate.
        eps: on ADAM's epsilon.
    """

    init: float = 1.0
    learning_rate: float = 1.0
    eps: float = 1.0


def width_factors(
    parameters: Iterable[tuple[str, nn.Parameter]],
    scaling: Scaling,
    base_size: int,
    hidden_size: int,
) -> dict[str, Factors]:
    """Return the factors of every parameter of a SentenceAutoencoder, by name.

    Args:
        parameters: its `named_parameters()`.
        scaling: `none` or `mup`.
        base_size: width at which both are the same, at least 1.
        hidden_size: width of the network.
    """
    ratio = base_size / hidden_size if scaling == "mup" else 1.0
    return {name: _factors(name, weight.dim() > 1, ratio) for name, weight in parameters}


def _factors(name: str, is_matrix: bool, ratio: float) -> Factors:
    if name == _OUTPUT_MATRIX:
        return Factors(math.sqrt(ratio), ratio, 1.0)
    if name == _OUTPUT_BIAS:
        return Factors()
    if name == _INPUT_MATRIX or not is_matrix:
        return Factors(1.0, 1.0, ratio)
    return Factors(1.0, ratio, ratio)
