"""Stop on request: SIGTERM or SIGUSR1 ends a run at its next step, saved, with its own exit code.

Clusters send one of them before they take a machine away, and a sweep stops a trial so. Lightning
would save nothing and exit 0 on the first, and save in the middle of a batch on the second.
"""

import signal
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from rrnn_lit.training.checkpoints import LastCheckpoint
from rrnn_lit.training.run_folder import STOP_REQUEST_FILE
from rrnn_lit.training.stopping import check_is_due

_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class RunStoppedError(Exception):
    """A signal ended the run; `last.ckpt` holds where it was.

    Args:
        folder: the run's folder.
        step: steps done.
        reason: why, in one word where the sender has left one in the folder.
    """

    def __init__(self, folder: Path, step: int, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"stopped at step {step} ({reason}); go on with `rrnn fit --resume {folder}`"
        )


class StopOnSignal(Checkpoint):
    """Saves and ends the run at the end of the step in which a signal came.

    Where an evaluation follows the step, behind the evaluation: a resumed run must neither repeat
    nor miss a check of the stop rule. A checkpoint callback, so that Lightning runs it behind the
    others.

    Args:
        last: saves the run; must stand before this one.
    """

    def __init__(self, last: LastCheckpoint) -> None:
        self._last = last
        self._signal: signal.Signals | None = None
        self._earlier: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen, in place of Lightning's own handlers."""
        for number in _SIGNALS:
            self._earlier[number] = signal.signal(number, self._note)

    def _note(self, number: int, _: Any) -> None:
        self._signal = signal.Signals(number)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Stop here unless an evaluation follows."""
        if not check_is_due(trainer):
            self._stop_if_asked(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop behind a check of the stop rule."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking and check_is_due(trainer):
            self._stop_if_asked(trainer)

    def _stop_if_asked(self, trainer: pl.Trainer) -> None:
        is_asked = self._signal is not None
        if trainer.world_size > 1:  # a signal may reach one process alone; all save together
            is_asked = trainer.strategy.reduce_boolean_decision(is_asked, all=False)
        if not is_asked:
            return
        self._last.save(trainer)
        request = self._last.folder / STOP_REQUEST_FILE
        reason = "another process" if self._signal is None else self._signal.name
        if request.is_file():
            reason = request.read_text(encoding="utf-8").strip() or reason
        raise RunStoppedError(self._last.folder, trainer.global_step, reason)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Give the signals back."""
        while self._earlier:
            number, handler = self._earlier.popitem()
            signal.signal(number, handler)
