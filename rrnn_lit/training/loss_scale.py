"""KeepLossScale: changed options of the loss scale, where a run goes on.

The scaler's own state in a checkpoint holds the growth interval and would win without a word.
The scale itself is not touched here: a resumed run goes on with the one it had reached.
"""

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback

from rrnn_lit.training.precision import LossScale, loss_scaler


class KeepLossScale(Callback):
    """Lets a changed `loss_scale.growth_interval` count and refuses a changed `loss_scale.init`.

    Other precisions than 16-mixed have no loss scale; both options may then change.

    Args:
        options: the group `loss_scale`.

    Raises:
        ValueError: an option is out of range.
    """

    def __init__(self, options: LossScale) -> None:
        if options.init <= 0:
            raise ValueError(f"loss_scale.init: wanted a number above 0, got {options.init}")
        if options.growth_interval < 1:
            wanted = f"wanted at least 1 step, got {options.growth_interval}"
            raise ValueError(f"loss_scale.growth_interval: {wanted}")
        self.options = options
        self._scaler: torch.amp.GradScaler | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Find the scaler."""
        self._scaler = loss_scaler(trainer)

    def state_dict(self) -> dict[str, Any]:
        """Return the scale that the run began with."""
        return {"init": self.options.init}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Compare it.

        Raises:
            ValueError: the run began with another scale.
        """
        if self._scaler is not None and state_dict["init"] != self.options.init:
            raise ValueError(
                f"loss_scale.init: wanted {state_dict['init']}, with which the run began, got "
                f"{self.options.init}; a resumed run goes on with the scale it had reached"
            )

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Set the growth interval; the checkpoint's was restored before."""
        interval = self.options.growth_interval
        if self._scaler is None or self._scaler.get_growth_interval() == interval:
            return
        # torch grows the scale at equality: a count beyond a shorter interval would never meet it
        state = {**self._scaler.state_dict(), "growth_interval": interval, "_growth_tracker": 0}
        self._scaler.load_state_dict(state)
