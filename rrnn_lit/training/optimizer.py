"""ADAM with coupled L2 on weights only and a learning rate that follows performed updates.

The update is `torch.optim.Adam`'s (paper section 2.5, decisions D-16 to D-20).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from rrnn_lit.models.scaling import Factors
from rrnn_lit.models.weight_gradients import WeightGradients
from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.lean_adam import LeanAdam

RoundMoments = Literal["none", "fp16"]
RATE_FACTOR = "learning_rate_factor"  # of a group, beside torch's own keys; absent for 1


def make_adam(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    betas: tuple[float, float],
    eps: float,
    l2: float,
    round_moments: RoundMoments = "none",
    deferred: WeightGradients | None = None,
    factors: Mapping[nn.Parameter, Factors] | None = None,
) -> torch.optim.Adam:
    """Return ADAM: matrices with L2, biases without, one group for each factor of these.

    Args:
        parameters: what to train.
        learning_rate: initial learning rate, > 0.
        betas: decay of the first and the second moment, each in [0, 1).
        eps: added to the root of the second moment.
        l2: coefficient added to the gradient as `l2 * weight` (coupled), 0 disables.
        round_moments: `fp16` rounds both moments after each update as the author's implementation
            stores them; with `deferred` they are stored so. `none` keeps them as they are.
        deferred: where the matrices' gradients wait in lean memory; None for `.grad`.
        factors: of width scaling, by parameter; None for none.
    """
    groups = _groups(parameters, learning_rate, eps, l2, factors or {})
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


def adam_of(
    model: nn.Module,
    options: Mapping[str, Any],
    factors: Mapping[str, Factors],
    deferred: WeightGradients | None,
) -> torch.optim.Adam:
    """Return ADAM for a model with the options of AutoencoderModule; see `make_adam`.

    Args:
        model: what to train.
        options: by name.
        factors: of width scaling, by name of the parameter.
        deferred: where the matrices' gradients wait in lean memory; None for `.grad`.
    """
    scaled = {parameter: factors[name] for name, parameter in model.named_parameters()}
    return make_adam(
        model.parameters(),
        options["learning_rate"],
        (options["beta1"], options["beta2"]),
        options["eps"],
        options["l2"],
        options["round_moments"],
        deferred,
        scaled if options["scaling"] != "none" else None,
    )


def _groups(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    eps: float,
    l2: float,
    factors: Mapping[nn.Parameter, Factors],
) -> list[dict[str, Any]]:
    """Return parameter groups, matrices first."""
    members: dict[tuple[bool, float, float], list[nn.Parameter]] = {}
    for parameter in parameters:
        own = factors.get(parameter, Factors())
        key = (parameter.dim() == 1, own.learning_rate, own.eps)
        members.setdefault(key, []).append(parameter)
    return [
        {
            "params": members[key],
            "weight_decay": 0.0 if is_bias else l2,
            "lr": learning_rate * rate_factor,
            "eps": eps * eps_factor,
            **({RATE_FACTOR: rate_factor} if factors else {}),
        }
        for key in sorted(members)
        for is_bias, rate_factor, eps_factor in [key]
    ]


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
        group["lr"] = rate * group.get(RATE_FACTOR, 1.0)


def update_figures(
    optimizer: torch.optim.Optimizer, global_step: int, scaler: torch.amp.GradScaler | None
) -> dict[str, float]:
    """Return learning rate and updates for a log line, with the loss scale where there is one."""
    num_updates = count_updates(optimizer)
    group = optimizer.param_groups[0]
    figures = {
        keys.LEARNING_RATE: float(group["lr"]) / group.get(RATE_FACTOR, 1.0),
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
