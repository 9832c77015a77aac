"""The precision that was asked for, or an error; 16 bit with the paper's loss scale.

Stock Lightning turns 16-mixed into bf16-mixed on a CPU with nothing but a warning.
"""

from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.plugins import MixedPrecision


@dataclass(frozen=True)
class LossScale:
    """Loss scaling of 16-mixed precision; the other precisions ignore it.

    Attributes:
        init: first loss scale (author's implementation: 50).
        growth_interval: steps without inf or NaN after which the scale doubles; it halves, and
            the step is skipped, whenever one occurs (author's implementation: 2,000).
    """

    init: float
    growth_interval: int


class LossScaler(torch.amp.GradScaler):
    """A GradScaler for fused optimizers: the device skips a step, and the host does not wait.

    The optimizer finds `found_inf` and `loss_scale` as attributes, tensors on the device;
    gradients in `.grad` have been divided by the loss scale already.
    """

    def _maybe_opt_step(
        self, optimizer: Any, optimizer_state: Any, *args: Any, **kwargs: Any
    ) -> Any:
        optimizer.found_inf = sum(optimizer_state["found_inf_per_device"].values())
        optimizer.loss_scale = self._get_scale_async()
        try:
            return optimizer.step(*args, **kwargs)
        finally:
            optimizer.found_inf = optimizer.loss_scale = None


def precision_plugin(
    precision: str, accelerator: str, loss_scale: LossScale
) -> MixedPrecision | None:
    """Return the plugin for 16-mixed, None where Lightning's own choice is right.

    Raises:
        ValueError: 16-mixed without a CUDA device.
    """
    # by default partial sums of split products would be added in 16 bit
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    if precision != "16-mixed":
        return None
    if accelerator not in ("auto", "gpu", "cuda") or not torch.cuda.is_available():
        raise ValueError(
            f"trainer.precision: 16-mixed needs a CUDA device, got accelerator {accelerator!r} "
            f"and {torch.cuda.device_count()} CUDA devices; "
            "choose trainer.precision bf16-mixed or 32-true"
        )
    scaler = LossScaler(
        "cuda", init_scale=loss_scale.init, growth_interval=loss_scale.growth_interval
    )
    return MixedPrecision("16-mixed", device="cuda", scaler=scaler)


def refuse_changed_precision(trainer: pl.Trainer, wanted: str) -> None:
    """Raise if the trainer will compute in another precision than `wanted`."""
    got = str(trainer.precision)
    if got != wanted:
        raise ValueError(f"trainer.precision: wanted {wanted}, but the trainer would run {got}")


def loss_scaler(trainer: pl.Trainer) -> torch.amp.GradScaler | None:
    """Return the loss scaler in use, if any."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    return scaler if isinstance(scaler, torch.amp.GradScaler) else None
