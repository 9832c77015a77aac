"""RunClock: seconds spent in training over all starts of a run."""

import time
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback


class RunClock(Callback):
    """Counts wall time between start and end of training, evaluations included."""

    def __init__(self) -> None:
        self._before = 0.0
        self._start: float | None = None
        self._end: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds so far; a killed start counts up to its last checkpoint."""
        if self._start is None:
            return self._before
        return self._before + (self._end or time.monotonic()) - self._start

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._start = time.monotonic()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock."""
        self._end = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds so far."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue counting."""
        self._before = state_dict["seconds"]
