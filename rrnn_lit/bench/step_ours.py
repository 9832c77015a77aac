"""Our training step, timed inside a real training by Lightning; the peers run in its pauses.

The clock runs from the start of one batch to the start of another, so that nothing is left out:
loading, callbacks, logging and Lightning's own work are in the figure.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.profilers import Profiler

from rrnn_lit.bench.step_peers import Block, wait_for
from rrnn_lit.bench.training_run import wrapped
from rrnn_lit.training.stopwatch import Stopwatch


class WaitingTime(Profiler):
    """Adds up the time that the training loop waits for batches."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = self._begun = 0.0

    def start(self, action_name: str) -> None:
        """Start the clock if a batch is fetched."""
        if action_name.endswith("train_dataloader_next"):
            self._begun = time.perf_counter()

    def stop(self, action_name: str) -> None:
        """Stop the clock if a batch was fetched."""
        if action_name.endswith("train_dataloader_next"):
            self._seconds += time.perf_counter() - self._begun

    def take(self) -> float:
        """Return the seconds since the last call and start anew."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds


class Turns(Callback):
    """Times blocks of steps of a training and lets the peers run between them.

    Args:
        steps: steps of a block.
        warm_up: steps before the first block.
        repeats: number of blocks.
        waiting: the profiler of the trainer.
        others: runs the peers' blocks before ours of that number.
    """

    def __init__(
        self,
        steps: int,
        warm_up: int,
        repeats: int,
        waiting: WaitingTime,
        others: Callable[[int], None],
    ) -> None:
        self.blocks: list[Block] = []
        self._steps = steps
        self._warm_up = warm_up
        self._repeats = repeats
        self._waiting = waiting
        self._others = others
        self._matching = Stopwatch()
        self._wrapping = ExitStack()
        self._start = 0.0

    @property
    def num_steps(self) -> int:
        """Steps that the training must take; the clock of the last block stops at one more."""
        return self._warm_up + self._steps * self._repeats + 1

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put a stopwatch around the matching."""
        device = pl_module.device
        matching = wrapped(pl_module.words, "is_nearest", lambda: self._matching.measure(device))
        self._wrapping.enter_context(matching)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the stopwatch away."""
        self._wrapping.close()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """End a block and begin the next."""
        number, step = divmod(batch_idx - self._warm_up, self._steps)
        if number < 0 or step:
            return
        wait_for(pl_module.device)
        if number:
            seconds = time.perf_counter() - self._start
            self.blocks.append(Block(seconds, self._waiting.take(), self._matching.take()))
        if number < self._repeats:
            self._others(number)
            self._waiting.take()
            self._matching.take()
            self._start = time.perf_counter()
