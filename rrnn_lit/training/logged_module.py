"""LoggedModule: what both LightningModules do around a training step.

The learning rate by performed updates, the figures of an interval of steps, and a clock that
stands still in evaluations.
"""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from rrnn_lit.data.loading import Batch
from rrnn_lit.training.lean_adam import LeanAdam
from rrnn_lit.training.monitor import TrainingMonitor
from rrnn_lit.training.optimizer import update_figures, update_learning_rate
from rrnn_lit.training.precision import loss_scaler
from rrnn_lit.training.sharding import whole


class LoggedModule(pl.LightningModule):
    """Abstract: steps, optimizer and evaluations are those of the module.

    Attributes:
        monitor: adds up the figures of an interval; set by the module.
        logged_step: `global_step` of the last log line; set by the module.
    """

    monitor: TrainingMonitor
    logged_step: int

    @property
    def _log_every(self) -> int:
        return int(self.trainer.log_every_n_steps)  # type: ignore[attr-defined]

    def logs_this_step(self) -> bool:
        """Whether the step in progress ends with a log line; in it global_step is one behind."""
        return (self.global_step + 1) % self._log_every == 0

    def log_figures(self, figures: dict[str, float]) -> None:
        """Log at the number of steps done; Lightning's own step is one behind in evaluations."""
        self.log_dict(figures, logger=False)
        for logger in self.loggers:
            logger.log_metrics(figures, step=self.global_step)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the learning rate by performed updates; note the gradient norm when it is logged."""
        update_learning_rate(optimizer, self.hparams["learning_rate"], self.hparams["decay"])
        logs = self.logs_this_step()
        if isinstance(optimizer, LeanAdam):
            optimizer.measures_norm = logs
        elif logs:
            gradients = [p.grad for p in self.parameters() if p.grad is not None]
            self.monitor.gradient_norm = whole(torch.nn.utils.get_total_norm(gradients))

    def on_fit_start(self) -> None:
        """Let every process but the first draw other dropout masks than the first."""
        if self.trainer.global_rank:
            torch.manual_seed(torch.initial_seed() + self.trainer.global_rank)

    def on_train_start(self) -> None:
        """Start the clock of the first interval."""
        self.logged_step = self.global_step
        self.monitor.start()

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Log the figures of the interval every `trainer.log_every_n_steps` steps."""
        # with gradient accumulation several batches end at the same step
        if self.global_step % self._log_every or self.global_step == self.logged_step:
            return
        self.logged_step = self.global_step
        optimizer = self.trainer.optimizers[0]
        if isinstance(optimizer, LeanAdam):
            self.monitor.gradient_norm = optimizer.gradient_norm
        updates = update_figures(optimizer, self.global_step, loss_scaler(self.trainer))
        several = self.trainer.world_size > 1
        interval = self.monitor.take(self._over_processes if several else None)
        self.log_figures({**interval, **updates})

    def _over_processes(self, values: Tensor) -> tuple[Tensor, int]:
        total = self.trainer.strategy.reduce(values, reduce_op="sum")
        assert isinstance(total, Tensor)
        return total, self.trainer.world_size

    def finish_step(self, batch: Batch, loss: Tensor, dropped: Tensor) -> Tensor:
        """Return the loss whose mean over processes is that of the whole batch; note the step.

        Gradients are averaged over processes, and these may have unequal shares of a batch.

        Args:
            batch: of this process.
            loss: mean over its sentences.
            dropped: its words without a gradient.
        """
        if self.trainer.world_size > 1:
            loss = loss * batch["loss_share"]
        num_words = int(batch["lengths_B"].numpy().sum())
        if not batch["loss_share"]:
            num_words, dropped = 0, torch.zeros_like(dropped)
        self.monitor.add_step(batch["num_sentences"], loss.detach(), num_words, dropped)
        return loss

    def on_validation_start(self) -> None:
        """Keep evaluation out of the speed of training."""
        self.monitor.pause()

    def on_validation_end(self) -> None:
        """Restart the clock of training."""
        self.monitor.resume()
