"""Deaths in the middle of writing a checkpoint: by the clock, or beside its renaming."""

import os
import signal
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback


def die() -> None:
    """End this process as a kill from outside would: nothing of it runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(milliseconds: float) -> None:
    """Let the system end this process after a time, whatever it is doing then, by SIGALRM.

    No thread and no second process takes part, so that half a millisecond is possible: the
    default action of the signal ends the process, even in the middle of compiled code.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000)


class DieAfterSaveBegins(Callback):
    """Ends the process some time after a checkpoint of a step begins to be written.

    Args:
        step: `global_step` of the checkpoint.
        milliseconds: above 0.
    """

    def __init__(self, step: int, milliseconds: float) -> None:
        if milliseconds <= 0:
            raise ValueError(f"milliseconds: wanted a number above 0, got {milliseconds}")
        self._step = step
        self._milliseconds = milliseconds

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Set the clock; Lightning calls this before it hands the content over to be written."""
        if trainer.global_step == self._step:
            die_after(self._milliseconds)


class DieAtRename(Callback):
    """Ends the process just before or after a checkpoint of a step gets its name.

    Before: the file is complete beside its target. After: it is there, its folder not flushed.

    Args:
        step: `global_step` of the checkpoint.
        side: of the renaming.
        name: of the file.
    """

    def __init__(
        self, step: int, side: Literal["before", "after"], name: str = "last.ckpt"
    ) -> None:
        self._step = step
        self._side = side
        self._name = name
        self._is_armed = False

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Wait for the renaming; `os.replace` stays changed until the process dies of it."""
        if trainer.global_step != self._step or self._is_armed:
            return
        self._is_armed = True
        honest = os.replace

        def replace(source: Any, target: Any, **named: Any) -> None:
            is_it = Path(target).name == self._name
            if is_it and self._side == "before":
                die()
            honest(source, target, **named)
            if is_it:
                die()

        os.replace = replace  # type: ignore[assignment]
