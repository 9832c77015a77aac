"""ADAM with coupled L2 on weights only and a learning rate that follows performed updates.

The update is `torch.optim.Adam`'s (paper section 2.5, decisions D-16 to D-20).
"""

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import nn

RoundMoments = Literal["none", "fp16"]


def make_adam(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    betas: tuple[float, float],
    eps: float,
    l2: float,
) -> torch.optim.Adam:
    """Return ADAM with two groups: matrices with L2, biases without.

    Args:
        parameters: what to train.
        learning_rate: initial learning rate, > 0.
        betas: decay of the first and the second moment, each in [0, 1).
        eps: added to the root of the second moment.
        l2: coefficient added to the gradient as `l2 * weight` (coupled), 0 disables.
    """
    weights: list[nn.Parameter] = []
    biases: list[nn.Parameter] = []
    for parameter in parameters:
        (weights if parameter.dim() > 1 else biases).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": l2},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.Adam(groups, lr=learning_rate, betas=betas, eps=eps, fused=True)
    # leave the loss scale to the GradScaler: gradients must be true ones before the step, for
    # clipping and for the logged norm
    optimizer._step_supports_amp_scaling = False
    return optimizer


def count_updates(optimizer: torch.optim.Optimizer) -> int:
    """Return the number of performed updates: skipped 16-bit steps do not count."""
    for state in optimizer.state.values():
        return int(state["step"])
    return 0


def learning_rate_after(num_updates: int, initial: float, decay: float) -> float:
    """Return `initial * decay ** num_updates` (paper section 2.5)."""
    return float(initial * decay**num_updates)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Set the learning rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def round_moments(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Round both moments to fp16 in place, as the author's implementation stores them.

    A step post hook of the optimizer; reproduces the effects of `v` sticking at 0 or near 3e-6.
    """
    for state in optimizer.state.values():
        for name in ("exp_avg", "exp_avg_sq"):
            state[name].copy_(state[name].half())
