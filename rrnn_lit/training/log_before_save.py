"""LogBeforeSave: the figures of a step are on disk before its checkpoint is.

Lightning calls a module behind all callbacks. A run that died or was stopped just behind a
checkpoint would go on after its step, and the line of that step would never be written. After a
power cut as well: what was written goes to the disk before the checkpoint is written.
"""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from rrnn_lit.training.logged_module import LoggedModule
from rrnn_lit.training.metrics_log import MetricsLog


class LogBeforeSave(Callback):
    """Lets a LoggedModule log before the checkpoint callbacks run; it logs a step only once."""

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Log if a line is due."""
        if isinstance(pl_module, LoggedModule):
            pl_module.on_train_batch_end(outputs, batch, batch_idx)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Put the lines on disk; Lightning calls this before the checkpoint is written."""
        for logger in trainer.loggers:
            if isinstance(logger, MetricsLog):
                logger.put_on_disk()
