"""Progress of a run in the terminal: a live Rich bar, or plain lines where there is none."""

import time
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from rrnn_lit.training import metric_keys as keys

SECONDS_BETWEEN_LINES = 15.0

# key -> (label, format) in the order shown
_SHOWN = {
    keys.TRAIN_LOSS: ("loss", "{:.3f}"),
    keys.TRAIN_MATCHED_WORD_RATE: ("matched", "{:.1%}"),
    keys.TRAIN_DROPPED_WORD_RATE: ("dropped", "{:.1%}"),
    keys.TRAIN_SENTENCES_PER_SECOND: ("sent/s", "{:,.0f}"),
    keys.split_key("tune", "matched_word_rate"): ("tune", "{:.1%}"),
    keys.split_key("test", "matched_word_rate"): ("test", "{:.1%}"),
}


def progress_text(metrics: dict[str, Any]) -> str:
    """Return the figures worth watching, those that exist yet."""
    return "  ".join(
        f"{label} {form.format(float(metrics[key]))}"
        for key, (label, form) in _SHOWN.items()
        if key in metrics
    )


def clock_text(seconds: float) -> str:
    """Return hours:minutes:seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class StepsProgress(ProgressBar):
    """Shows steps done of `trainer.max_steps`, figures and the time left.

    Args:
        console: where to write; a terminal gets a live bar, anything else a line now and then.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self._console = console or Console()
        self._bar: Progress | None = None
        self._task: Any = None
        self._enabled = True
        self._line_time = self._start_time = 0.0
        self._start_step = 0

    def disable(self) -> None:
        """Show nothing; processes other than the first are silent."""
        self._enabled = False

    def enable(self) -> None:
        """Show progress."""
        self._enabled = True

    def print(self, *args: Any, **kwargs: Any) -> None:
        """Print above the bar."""
        if self._enabled:
            self._console.print(*args, **kwargs)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start at the current step."""
        self._start_time = self._line_time = time.monotonic()
        self._start_step = trainer.global_step
        if not (self._enabled and self._console.is_terminal):
            return
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
        )
        self._bar.start()
        total = trainer.max_steps if trainer.max_steps > 0 else None
        self._task = self._bar.add_task("", total=total, completed=self._start_step, figures="")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Move the bar, or print a line when one is due."""
        if self._bar is not None:
            figures = progress_text(trainer.callback_metrics)
            self._bar.update(self._task, completed=trainer.global_step, figures=figures)
        elif time.monotonic() - self._line_time > SECONDS_BETWEEN_LINES:
            self._print_line(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the new counts at once."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking and self._bar is None:
            self._print_line(trainer)

    def _print_line(self, trainer: pl.Trainer) -> None:
        self._line_time = time.monotonic()
        done = trainer.global_step - self._start_step
        elapsed = self._line_time - self._start_time
        total, left = "", ""
        if trainer.max_steps > 0 and done:
            remaining = (trainer.max_steps - trainer.global_step) * elapsed / done
            total, left = f"/{trainer.max_steps:,}", f"  left {clock_text(remaining)}"
        figures = progress_text(trainer.callback_metrics)
        self.print(
            f"step {trainer.global_step:,}{total}  {figures}  {clock_text(elapsed)}{left}",
            soft_wrap=True,
            highlight=False,
        )

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remove the live bar."""
        self._stop()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Leave the terminal in order."""
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
