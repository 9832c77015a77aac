"""Stop on request: SIGTERM or SIGUSR1 ends a run at its next step, saved, with its own exit code.

Clusters send one of them before they take a machine away, and a sweep stops a trial so. Lightning
would save nothing and exit 0 on the first, and save in the middle of a batch on the second.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from rrnn_lit.training.checkpoint_file import Held
from rrnn_lit.training.checkpoints import LastCheckpoint
from rrnn_lit.training.run_folder import STOP_REQUEST_FILE, has_checkpoint
from rrnn_lit.training.stop_signals import StopSignals
from rrnn_lit.training.stopping import check_is_due, ends_a_step

_SET_UP, _FINAL_EVALUATION = "in set-up", "in the final evaluation"


class RunStoppedError(Exception):
    """A signal ended the run; `last.ckpt` holds where it was, or the step before an evaluation.

    Args:
        folder: the run's folder.
        place: where it was stopped.
        reason: why, in one word where the sender has left one in the folder.
    """

    def __init__(self, folder: Path, place: str, reason: str) -> None:
        self.reason = reason
        further = f"go on with `rrnn fit --resume {folder}`"
        if not has_checkpoint(folder):
            further = "the same command starts again"
        super().__init__(f"stopped {place} ({reason}); {further}")


class StopOnSignal(Checkpoint):
    """Saves and ends the run at the end of the step in which a signal came.

    In an evaluation, or where one follows the step, it ends without saving: the checkpoint of the
    step before is there, and one of this step would make a resumed run miss the evaluation. Nor is
    there anything to save before the first step, and in the evaluation behind the last one. A
    checkpoint callback, so that Lightning runs it behind the others.

    Args:
        last: saves the run; must stand before this one.
        signals: what came.
        held: the folder's ownership: whoever has lost the folder is to say that, and not that the
            run goes on.
    """

    def __init__(
        self, last: LastCheckpoint, signals: StopSignals, held: Held = nullcontext
    ) -> None:
        self._last = last
        self._signals = signals
        self._held = held

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop before the checkpoint is loaded."""
        self.stop_if_asked(trainer, _SET_UP)

    def on_sanity_check_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen in place of Lightning's own handlers."""
        self._signals.listen()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop before the first step, and listen in place of Lightning's own handlers."""
        self._signals.listen()
        self.stop_if_asked(trainer, _SET_UP)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen in place of Lightning's own handlers, which come anew with each of its loops."""
        self._signals.listen()

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
        """Stop in an evaluation: before, during or behind training."""
        if trainer.state.fn != "fit":
            self.stop_if_asked(trainer, _FINAL_EVALUATION)
        elif trainer.sanity_checking:
            self.stop_if_asked(trainer, _SET_UP)
        else:
            self.stop_if_asked(trainer, f"in the evaluation at step {trainer.global_step}")

    def stop_before_summary(self, trainer: pl.Trainer) -> None:
        """Stop behind the final evaluation; once there is a summary a signal changes nothing."""
        self.stop_if_asked(trainer, _FINAL_EVALUATION)

    def stop_if_asked(self, trainer: pl.Trainer, place: str) -> None:
        """Raise RunStoppedError if a signal came, in whichever process of the run."""
        if self._is_asked(trainer):
            raise self._stop(place)

    def _is_asked(self, trainer: pl.Trainer) -> bool:
        is_asked = self._signals.first is not None
        if trainer.world_size > 1:  # a signal may reach one process alone; all stop together
            is_asked = trainer.strategy.reduce_boolean_decision(is_asked, all=False)
        return is_asked

    def _stop(self, place: str) -> RunStoppedError:
        with self._held():  # raises where the folder is another process's now
            pass
        request = self._last.folder / STOP_REQUEST_FILE
        reason = "another process" if self._signals.first is None else self._signals.first.name
        if request.is_file():
            reason = request.read_text(encoding="utf-8").strip() or reason
        return RunStoppedError(self._last.folder, place, reason)
