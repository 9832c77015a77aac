"""Stop a run whose numbers are no longer finite; none of them reaches a checkpoint."""

from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from rrnn_lit.training.precision import LossScale, loss_scaler
from rrnn_lit.training.sharding import whole

# steps in a row that overflow at any loss scale
_MOST_HALVINGS = 26


class NotFiniteError(ValueError):
    """The loss, a gradient or a weight is inf or NaN.

    Args:
        what: `the loss`, `a gradient` or the name of a weight.
        step: steps done.
    """

    def __init__(self, what: str, step: int) -> None:
        super().__init__(
            f"{what} is not finite after {step} steps; the last checkpoint is of before. Lower "
            "model.learning_rate or model.feed_forward_scale, or set trainer.gradient_clip_val"
        )


class FiniteGuard(Callback):
    """Raises when loss or gradient is not finite: before the update, on a GPU at a log line.

    A GPU's host would have to wait for the answer; the device remembers it until the next log
    line. Up to `log_every_n_steps` - 1 updates follow there, none of which reaches a checkpoint
    once a weight is not finite (`refuse_not_finite`). Gradients of biases stand for all: what is
    not finite in the backward pass reaches some bias. The loss is looked at as well: it can be
    infinite where gradients are not. With a loss scale an overflow is normal and its step is
    skipped; there it counts how often the scale was halved.

    Args:
        loss_scale: of the run.
    """

    def __init__(self, loss_scale: LossScale) -> None:
        self._lowest_scale = loss_scale.init / 2**_MOST_HALVINGS
        self._is_bad: dict[str, Tensor] = {}

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        """Look at the loss of a batch."""
        if loss_scaler(trainer) is None:
            self._note("the loss", ~torch.isfinite(loss.detach()).all())

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any
    ) -> None:
        """Look at the gradients of this step."""
        scaler = loss_scaler(trainer)
        if scaler is None:
            self._gather(pl_module)
        is_logged = (trainer.global_step + 1) % trainer.log_every_n_steps == 0  # type: ignore[attr-defined]
        if pl_module.device.type == "cuda" and not is_logged:
            return
        underflows = scaler is not None and scaler.get_scale() < self._lowest_scale
        found = ["a gradient"] if underflows else self._found(trainer)
        if found:
            raise NotFiniteError(found[0], trainer.global_step)

    def _gather(self, module: pl.LightningModule) -> None:
        biases = [p.grad for p in module.parameters() if p.dim() == 1 and p.grad is not None]
        sums = torch.stack([whole(grad.float().sum()) for grad in biases])
        self._note("a gradient", ~torch.isfinite(sums).all())

    def _note(self, what: str, is_bad: Tensor) -> None:
        before = self._is_bad.get(what)
        self._is_bad[what] = is_bad if before is None else before | is_bad

    def _found(self, trainer: pl.Trainer) -> list[str]:
        """Return what was not finite in any process: each has a loss of its own."""
        if not self._is_bad:
            return []
        flags = torch.stack(list(self._is_bad.values())).float()
        if trainer.world_size > 1:
            flags = trainer.strategy.reduce(flags, reduce_op="sum")
        return [what for what, flag in zip(self._is_bad, flags.tolist(), strict=True) if flag]


def refuse_not_finite(state_dict: Mapping[str, Tensor], step: int) -> None:
    """Raise NotFiniteError if a weight holds inf or NaN.

    Args:
        state_dict: weights by name.
        step: steps done.
    """
    for name, weight in state_dict.items():
        if weight.is_floating_point() and not bool(torch.isfinite(weight.sum())):
            raise NotFiniteError(f"the weight {name}", step)
