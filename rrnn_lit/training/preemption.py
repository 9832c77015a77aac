"""Stop on request: SIGTERM or SIGUSR1 ends a run at its next step, saved, with its own exit code.

Clusters send one of them before they take a machine away, and a sweep stops a trial so. Lightning
would save nothing and exit 0 on the first, and save in the middle of a batch on the second.
"""

import signal
import threading
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from rrnn_lit.training.checkpoints import LastCheckpoint
from rrnn_lit.training.run_folder import STOP_REQUEST_FILE
from rrnn_lit.training.stopping import check_is_due, ends_a_step

_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class RunStoppedError(Exception):
    """A signal ended the run; `last.ckpt` holds where it was, or the step before an evaluation.

    Args:
        folder: the run's folder.
        place: where it was stopped.
        reason: why, in one word where the sender has left one in the folder.
    """

    def __init__(self, folder: Path, place: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"stopped {place} ({reason}); go on with `rrnn fit --resume {folder}`")


class StopOnSignal(Checkpoint):
    """Saves and ends the run at the end of the step in which a signal came.

    In an evaluation, or where one follows the step, it ends without saving: the checkpoint of the
    step before is there, and one of this step would make a resumed run miss the evaluation. A
    checkpoint callback, so that Lightning runs it behind the others.

    Args:
        last: saves the run; must stand before this one.
    """

    def __init__(self, last: LastCheckpoint) -> None:
        self._last = last
        self._signal: signal.Signals | None = None
        self._earlier: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen, in place of Lightning's own handlers; only a main thread can."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._earlier[number] = signal.signal(number, self._note)

    def _note(self, number: int, _: Any) -> None:
        self._signal = signal.Signals(number)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Stop here, saved unless an evaluation is due."""
        if not ends_a_step(trainer) or not self._is_asked(trainer):
            return
        if not check_is_due(trainer):
            self._last.save(trainer)
        raise self._stop(f"at step {trainer.global_step}")

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Stop in an evaluation during training."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking and self._is_asked(trainer):
            raise self._stop(f"in the evaluation at step {trainer.global_step}")

    def _is_asked(self, trainer: pl.Trainer) -> bool:
        is_asked = self._signal is not None
        if trainer.world_size > 1:  # a signal may reach one process alone; all stop together
            is_asked = trainer.strategy.reduce_boolean_decision(is_asked, all=False)
        return is_asked

    def _stop(self, place: str) -> RunStoppedError:
        request = self._last.folder / STOP_REQUEST_FILE
        reason = "another process" if self._signal is None else self._signal.name
        if request.is_file():
            reason = request.read_text(encoding="utf-8").strip() or reason
        return RunStoppedError(self._last.folder, place, reason)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Give the signals back."""
        while self._earlier:
            number, handler = self._earlier.popitem()
            signal.signal(number, handler)
