"""ADAM with coupled L2 on weights only and a learning rate that follows performed updates.

The update is `torch.optim.Adam`'s (paper section 2.5, decisions D-16 to D-20).
"""

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from rrnn_lit.models.weight_gradients import WeightGradients
from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.lean_adam import LeanAdam

RoundMoments = Literal["none", "fp16"]


def make_adam(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    betas: tuple[float, float],
    eps: float,
    l2: float,
    round_moments: RoundMoments = "none",
    deferred: WeightGradients | None = None,
) -> torch.optim.Adam:
    """Return ADAM with two groups: matrices with L2, biases without.

    Args:
        parameters: what to train.
        learning_rate: initial learning rate, > 0.
        betas: decay of the first and the second moment, each in [0, 1).
        eps: added to the root of the second moment.
        l2: coefficient added to the gradient as `l2 * weight` (coupled), 0 disables.
        round_moments: `fp16` rounds both moments after each update as the author's implementation
            stores them; with `deferred` they are stored so. `none` keeps them as they are.
        deferred: where the matrices' gradients wait in lean memory; None for `.grad`.
    """
    weights: list[nn.Parameter] = []
    biases: list[nn.Parameter] = []
    for parameter in parameters:
        (weights if parameter.dim() > 1 else biases).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": l2},
        {"params": biases, "weight_decay": 0.0},
    ]
    options: dict[str, Any] = {"lr": learning_rate, "betas": betas, "eps": eps, "fused": True}
    optimizer = (
        torch.optim.Adam(groups, **options)
        if deferred is None
        else LeanAdam(groups, deferred, round_moments == "fp16", **options)
    )
    # leave the loss scale to the GradScaler: gradients must be true ones before the step, for
    # clipping and for the logged norm
    optimizer._step_supports_amp_scaling = False
    if deferred is None and round_moments == "fp16":
        optimizer.register_step_post_hook(_round_moments)
    return optimizer


def count_updates(optimizer: torch.optim.Optimizer) -> int:
    """Return the number of performed updates: skipped 16-bit steps do not count.

    Waits for the device.
    """
    performed = _performed_updates(optimizer)
    return 0 if performed is None else int(performed)


def learning_rate_after(num_updates: int, initial: float, decay: float) -> float:
    """Return `initial * decay ** num_updates` (paper section 2.5)."""
    return float(initial * decay**num_updates)


def update_learning_rate(optimizer: torch.optim.Optimizer, initial: float, decay: float) -> None:
    """Set the learning rate of the next update by the number of performed ones.

    A skipped step is known to the GPU alone; there the learning rate is a tensor, computed where
    the count is, and the host does not wait.
    """
    performed = _performed_updates(optimizer)
    rate: float | Tensor
    if performed is None or not performed.is_cuda:
        rate = learning_rate_after(count_updates(optimizer), initial, decay)
    else:
        rate = (initial * decay ** performed.double()).float()
    for group in optimizer.param_groups:
        group["lr"] = rate


def update_figures(
    optimizer: torch.optim.Optimizer, global_step: int, scaler: torch.amp.GradScaler | None
) -> dict[str, float]:
    """Return learning rate and updates for a log line, with the loss scale where there is one."""
    num_updates = count_updates(optimizer)
    figures = {
        keys.LEARNING_RATE: float(optimizer.param_groups[0]["lr"]),
        keys.NUM_UPDATES: float(num_updates),
    }
    if scaler is not None:
        figures[keys.LOSS_SCALE] = scaler.get_scale()
        figures[keys.SKIPPED_STEPS] = float(global_step - num_updates)
    return figures


def _performed_updates(optimizer: torch.optim.Optimizer) -> Tensor | None:
    for state in optimizer.state.values():
        step: Tensor = state["step"]
        return step
    return None


def _round_moments(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    # reproduces the effects of `v` sticking at 0 or near 3e-6
    for state in optimizer.state.values():
        for name in ("exp_avg", "exp_avg_sq"):
            state[name].copy_(state[name].half())
