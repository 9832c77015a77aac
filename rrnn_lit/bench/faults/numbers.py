"""NotFinite: a loss or a gradient that is inf or NaN at one step."""

from collections.abc import Callable
from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from torch import Tensor


class NotFinite(Callback):
    """Multiplies the numbers of one step by NaN or infinity.

    Args:
        step: `global_step` before the step's update.
        place: `loss`: what `training_step` returns, a tensor, and with it all gradients;
            `gradient`: only these.
        value: the factor.
    """

    def __init__(
        self, step: int, place: Literal["loss", "gradient"], value: Literal["nan", "inf"]
    ) -> None:
        self._step = step
        self._place = place
        self._factor = float(value)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Spoil the loss of this step."""
        if self._place == "loss" and trainer.global_step == self._step:
            honest: Callable[..., Any] = pl_module.training_step

            def training_step(*given: Any, **named: Any) -> Any:
                return honest(*given, **named) * self._factor

            pl_module.training_step = training_step  # type: ignore[method-assign]

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        """Spoil the gradients of this step."""
        if self._place == "gradient" and trainer.global_step == self._step:
            loss.register_hook(lambda gradient: gradient * self._factor)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Let the next step be."""
        vars(pl_module).pop("training_step", None)
