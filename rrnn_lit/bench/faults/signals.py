"""SignalAt: a signal raised inside a run, at a hook of Lightning and a step."""

import os
import signal
from functools import partial, wraps
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

SignalName = Literal["SIGKILL", "SIGTERM", "SIGUSR1", "SIGSTOP"]


def arm(*callbacks: Callback) -> None:
    """Let every training that this process begins from now on run these before its own callbacks.

    It changes `Trainer.fit` for good: for a process that is to die, for example a forked child.
    """
    honest = pl.Trainer.fit

    @wraps(honest)  # Lightning's command line asks it for its options
    def fit(trainer: pl.Trainer, *given: Any, **named: Any) -> None:
        own: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        own[:0] = callbacks
        honest(trainer, *given, **named)

    pl.Trainer.fit = fit  # type: ignore[method-assign,assignment]


class SignalAt(Callback):
    """Sends a signal to its own process, once.

    SIGKILL stands for a crash or a lack of memory, SIGTERM and SIGUSR1 for a cluster that takes
    the machine away, SIGSTOP for a process that hangs. A config may name it, in
    `trainer.callbacks`, only where the environment has RRNN_ALLOW_IMPORTS=rrnn_lit.bench.faults.

    Args:
        hook: method of a Lightning callback, for example `on_train_batch_start`,
            `on_before_backward`, `on_after_backward`, `on_train_batch_end`,
            `on_validation_batch_start`.
        step: `global_step` at the hook: steps done. 0 is the first step.
        signal_name: which signal.
        once_file: made just before the signal; while it is there nothing happens. Without one a
            run that is resumed before `step` meets the signal again. null for none.

    Raises:
        ValueError: no callback of Lightning has such a hook.
    """

    def __init__(
        self, hook: str, step: int, signal_name: SignalName, once_file: str | None = None
    ) -> None:
        if not hook.startswith("on_") or not hasattr(Callback, hook):
            raise ValueError(f"hook: wanted a method of a Lightning callback, got {hook!r}")
        self._step = step
        self._number = signal.Signals[signal_name]
        self._once = None if once_file is None else Path(once_file)
        self._is_sent = False
        setattr(self, hook, partial(self._meet))

    def _meet(self, trainer: pl.Trainer, *_: Any) -> None:
        if self._is_sent or trainer.sanity_checking or trainer.global_step != self._step:
            return
        if self._once is not None:
            try:
                self._once.touch(exist_ok=False)
            except FileExistsError:
                return
        self._is_sent = True
        os.kill(os.getpid(), self._number)
