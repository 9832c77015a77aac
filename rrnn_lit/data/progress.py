"""Progress of the stages: a bar on a terminal, a line every ten seconds elsewhere.

Also keeps each stage's seconds and rate, for `timing.json`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_EVERY = 10.0  # seconds between two lines where there is no terminal


class Stage:
    """One stage under way."""

    def __init__(self, name: str, total: int | None, unit: str) -> None:
        self.name, self.total, self.unit = name, total, unit
        self.done = self.reused = 0
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Units a second, without those an earlier start had finished."""
        return (self.done - self.reused) / max(self.seconds, 1e-9)

    def line(self) -> str:
        """Return amount, rate and time left in words."""
        total = "" if self.total is None else f" of {self.total:,}"
        text = f"{self.name}: {self.done:,}{total} {self.unit}, {self.rate:,.0f}/s"
        if self.total is not None and self.rate > 0 and self.done < self.total:
            text += f", {(self.total - self.done) / self.rate:.0f} s left"
        return text


class StageProgress:
    """Shows the stages one after the other.

    Args:
        console: where to print; a terminal gets a bar.

    Attributes:
        timing: stage -> seconds, units and rate.
    """

    def __init__(self, console: Console) -> None:
        self.timing: dict[str, dict[str, Any]] = {}
        self._console = console
        self._stage = Stage("", 0, "")
        self._bar: Progress | None = None
        self._printed = 0.0

    @contextmanager
    def stage(self, name: str, total: int | None, unit: str) -> Iterator[None]:
        """Show a stage; `total` None means that its length is not known."""
        self._stage = Stage(name, total, unit)
        self._printed = time.monotonic()
        if not self._console.is_terminal:
            yield
        else:
            with _bar(self._console) as self._bar:
                self._bar.add_task(name, total=total, unit=unit, rate="")
                yield
                self._bar.update(self._bar.task_ids[0], completed=total or self._stage.done)
            self._bar = None
        stage = self._stage
        self.timing[name] = {
            "seconds": round(stage.seconds, 3),
            stage.unit: stage.done,
            "per_second": round(stage.rate, 1),
        }
        if not self._console.is_terminal:
            self._console.print(
                f"{name}: {stage.done:,} {unit} in {stage.seconds:.1f} s", highlight=False
            )

    def advance(self, amount: int, reused: bool = False) -> None:
        """Count units of the present stage; `reused` ones cost no time and change no rate."""
        stage = self._stage
        stage.done += amount
        stage.reused += amount if reused else 0
        if self._bar is not None:
            rate = f"{stage.rate:,.0f} {stage.unit}/s"
            self._bar.update(self._bar.task_ids[0], advance=amount, rate=rate)
        elif time.monotonic() - self._printed >= _EVERY:
            self._printed = time.monotonic()
            self._console.print(stage.line(), highlight=False)

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False, soft_wrap=True)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} {task.fields[unit]}  {task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )
