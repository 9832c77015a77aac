"""Stop before a number that is not finite reaches the weights or a checkpoint."""

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback

from rrnn_lit.training.precision import loss_scaler

# 50, the first loss scale, halved 26 times: no gradient is finite at any scale
_LOWEST_LOSS_SCALE = 1e-6


class NotFiniteError(ValueError):
    """The loss or a gradient is inf or NaN; the weights are those of the step before.

    Args:
        what: `loss` or `gradient`.
        step: steps done before.
    """

    def __init__(self, what: str, step: int) -> None:
        super().__init__(
            f"the {what} of step {step + 1} is not finite; the last checkpoint is of before. "
            "Lower model.learning_rate or model.feed_forward_scale, or set "
            "trainer.gradient_clip_val"
        )


class FiniteGuard(Callback):
    """Raises before the update; nothing is saved behind it.

    Biases stand for all parameters: whatever is not finite in a weight's gradient is a summand of
    some bias's, and they are small enough to look at in every step. On a GPU the host would have
    to wait for the answer, so that it is asked for at log lines only. With a loss scale a single
    overflow is normal and the step is skipped; there the scale tells when it is no single one.
    """

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any
    ) -> None:
        """Check loss and gradients where the answer costs no wait."""
        is_logged = (trainer.global_step + 1) % trainer.log_every_n_steps == 0  # type: ignore[attr-defined]
        if pl_module.device.type == "cuda" and not is_logged:
            return
        scaler = loss_scaler(trainer)
        if scaler is not None:
            if scaler.get_scale() < _LOWEST_LOSS_SCALE:
                raise NotFiniteError("gradient", trainer.global_step)
            return
        biases = [p.grad for p in pl_module.parameters() if p.dim() == 1 and p.grad is not None]
        sums = torch.stack([grad.float().sum() for grad in biases])
        if not bool(torch.isfinite(sums).all()):
            raise NotFiniteError("gradient", trainer.global_step)
