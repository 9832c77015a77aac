"""RunClock: seconds spent in training over all starts of a run, and a record of its starts."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from rrnn_lit.training.effective_time import FINISHED, EffectiveTime, Event, effective_time
from rrnn_lit.training.metrics_log import MetricsLog
from rrnn_lit.training.owner import RunOwnedError
from rrnn_lit.training.run_events import append_event, read_events, read_logged_steps

_STAT = Path("/proc/self/stat")


def process_began() -> float:
    """Return when this process began, in seconds since 1970; without /proc the present."""
    now = time.time()
    try:
        # field 22, clock ticks since the machine began; the name in field 2 may hold spaces
        fields = _STAT.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        ticks = int(fields[19])
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, ValueError, IndexError, AttributeError):
        return now
    return now - max(0.0, since_boot - ticks / os.sysconf("SC_CLK_TCK"))


class RunClock(Callback):
    """Counts wall time between start and end of training, evaluations included.

    The folder of `events.jsonl` is the trainer's `default_root_dir`.

    Args:
        held: the folder's ownership, which is entered around every write.
    """

    def __init__(self, held: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._held = held
        self._before = 0.0
        self._start: float | None = None
        self._end: float | None = None
        self._life = 1

    @property
    def seconds(self) -> float:
        """Seconds so far; a killed start counts up to its last checkpoint."""
        if self._start is None:
            return self._before
        return self._before + (self._end or time.monotonic()) - self._start

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        logs = [log for log in trainer.loggers if isinstance(log, MetricsLog)]
        self._life = logs[0].life if logs else 1
        began = process_began()
        self._note(trainer, "start", "resumed" if trainer.global_step else "new", began)
        self._start = time.monotonic()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock."""
        self._end = time.monotonic()
        self._note(trainer, "end", FINISHED, time.time())

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Note why training ended; nothing in a folder that belongs to another process now."""
        if self._start is not None and self._end is None:
            self._end = time.monotonic()
            reason = str(getattr(exception, "reason", type(exception).__name__))
            # a full disk, or another owner, shall not hide what ended the run
            with suppress(OSError, RunOwnedError):
                self._note(trainer, "end", reason, time.time())

    def _note(self, trainer: pl.Trainer, event: str, reason: str, at: float) -> None:
        if trainer.is_global_zero:
            line = self._event(trainer, event, reason, at)
            with self._held():
                append_event(Path(trainer.default_root_dir), line)

    def _event(self, trainer: pl.Trainer, event: str, reason: str, at: float) -> Event:
        return Event(
            event=event,
            step=trainer.global_step,
            time=round(at, 3),
            life=self._life,
            seconds=round(self.seconds, 3),
            reason=reason,
        )

    def effective(self, trainer: pl.Trainer) -> EffectiveTime | None:
        """Return the share of kept training; for the first process, after the end of training.

        A start that died between its last checkpoint and its end is ended now, by the clock of
        that checkpoint. None where the record does not tell: the run is finished all the same.
        """
        folder = Path(trainer.default_root_dir)
        try:
            events = read_events(folder)
            if events and events[-1].event == "start":
                now = time.time()
                events.append(self._event(trainer, "end", FINISHED, now))
                with suppress(OSError):
                    self._note(trainer, "end", FINISHED, now)
            return effective_time(events, read_logged_steps(folder))
        except (OSError, ValueError, TypeError):
            return None

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds so far."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue counting."""
        self._before = state_dict["seconds"]
