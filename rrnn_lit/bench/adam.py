"""ADAM's variants on the parameters of our network: part of `rrnn bench step`.

All variants get the same gradients, learning rate and groups (L2 on matrices only).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rrnn_lit.bench.ceilings import Ceilings
from rrnn_lit.bench.cost_model import adam_cost
from rrnn_lit.bench.errors import norm_error, verdict
from rrnn_lit.bench.result import Peer, Row, make_rows
from rrnn_lit.bench.timing import time_peers
from rrnn_lit.bench.training_run import BETAS, EPS, L2, LEARNING_RATE
from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.training.optimizer import make_adam

OURS = "ours: ADAM fused"
_NUM_GRADIENTS = 2  # sets that take turns
_NOTE = "error of the sum of all timed updates against the for-loop in float64"


class Updates:
    """Parameters, their gradients and an optimizer that uses them.

    Args:
        start: values of the parameters before the first update; copied.
        gradients: sets of gradients, one of them used by each update.
        variant: arguments of `torch.optim.Adam` that choose how it computes; None is ours.
    """

    def __init__(
        self,
        start: Sequence[Tensor],
        gradients: Sequence[Sequence[Tensor]],
        variant: dict[str, bool] | None,
    ) -> None:
        self.parameters = [nn.Parameter(values.clone()) for values in start]
        self._gradients = gradients
        self._adam = make_adam(self.parameters, LEARNING_RATE, BETAS, EPS, L2)
        if variant is not None:
            groups = [{**group, **variant} for group in self._adam.param_groups]
            self._adam = torch.optim.Adam(groups, lr=LEARNING_RATE, betas=BETAS, eps=EPS)

    def __call__(self, number: int) -> None:
        """Do an update with the gradients whose turn it is."""
        gradients = self._gradients[number % len(self._gradients)]
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self._adam.step()


_VARIANTS: dict[str, dict[str, bool] | None] = {
    OURS: None,
    "ADAM for-loop": {"foreach": False, "fused": False},
    "ADAM foreach": {"foreach": True, "fused": False},
}


def adam_rows(
    case: str,
    hidden_size: int,
    word_dim: int,
    repeats: int,
    ceilings: Ceilings,
    device: torch.device,
) -> list[Row]:
    """Return a row per variant.

    Args:
        case: the case they are part of.
        hidden_size: width of the network that the parameters belong to.
        word_dim: length of a word vector.
        repeats: timed updates of each variant.
        ceilings: rates of the machine.
        device: where to compute.
    """
    shape = AutoencoderShape(word_dim, hidden_size, None, "bias_term", 0.0, True, "output")
    with torch.device("meta"):
        shapes = [parameter.shape for parameter in SentenceAutoencoder(shape).parameters()]
    # a gradient of 0.001 and L2 of 1.84e-7 on weights of 0.01: neither is lost beside the other
    start = [0.01 * torch.randn(s, device=device) for s in shapes]
    gradients = [
        [0.001 * torch.randn(s, device=device) for s in shapes] for _ in range(_NUM_GRADIENTS)
    ]
    updates = {name: Updates(start, gradients, v) for name, v in _VARIANTS.items()}
    seconds = time_peers(updates, repeats, device)
    truth = _float64(start, gradients, repeats)
    num_parameters = sum(s.numel() for s in shapes)
    floor = adam_cost(num_parameters).floor_seconds(ceilings, "fp32")
    sizes = {"hidden_size": hidden_size, "word_dim": word_dim, "parameters": num_parameters}
    peers = {
        name: Peer(
            correct=judge(update.parameters, truth, start),
            precision="fp32",
            note=_NOTE,
            floor_seconds=floor,
        )
        for name, update in updates.items()
    }
    return make_rows(case, sizes, seconds, peers, OURS)


def _float64(
    start: Sequence[Tensor], gradients: Sequence[Sequence[Tensor]], repeats: int
) -> list[Tensor]:
    """Return the parameters after the same updates in float64."""
    exact = Updates(
        [values.double() for values in start],
        [[gradient.double() for gradient in given] for given in gradients],
        {"foreach": False, "fused": False},
    )
    for number in (0, *range(repeats)):  # `time_peers` warms up with round 0
        exact(number)
    return [parameter.detach() for parameter in exact.parameters]


def judge(found: Sequence[Tensor], truth: Sequence[Tensor], start: Sequence[Tensor]) -> str:
    """Return how far the changes since the start lie from the true ones, and if that is wrong."""
    error = norm_error(
        [values.detach().double() - s.double() for values, s in zip(found, start, strict=True)],
        [values - s.double() for values, s in zip(truth, start, strict=True)],
    )
    return f"{error:.0e} off{verdict('fp32', error)}"
