"""What a person sees while a sweep runs: a display that stays in place, or lines in a file.

Every trial that ends is one line. On a terminal the display below them shows results, running
trials, the best so far, failures and the time left.
"""

import math
from collections.abc import Callable, Sequence
from types import TracebackType

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from rrnn_lit.search import attributes
from rrnn_lit.search.attempt import RunningTrial
from rrnn_lit.search.show import (
    best_line,
    duration_text,
    failure_counts,
    number_text,
    objective_of,
    seconds_of,
    short_names,
    time_left,
)
from rrnn_lit.search.stop_rule import result_states
from rrnn_lit.search.study_file import Definition

_MOST_RUNNING = 16  # lines for running trials; a display higher than the terminal flickers


class LiveView:
    """Shows a sweep; call it about once a second.

    Args:
        study: the study.
        definition: what it is.
        wanted: number of results the study shall have.
        num_workers: workers of this process.
        running: returns the trials this process runs.
        console: where to print; no terminal, no display.
    """

    def __init__(
        self,
        study: optuna.Study,
        definition: Definition,
        wanted: int,
        num_workers: int,
        running: Callable[[], Sequence[RunningTrial]],
        console: Console,
    ) -> None:
        self._study = study
        self._definition = definition
        self._wanted = wanted
        self._num_workers = num_workers
        self._running = running
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._console = console
        # those that ended before this process started are no news
        self._told = {t.number for t in self._trials() if t.state.is_finished()}

    def __enter__(self) -> "LiveView":
        """Take over the end of the terminal."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back; the lines about trials that ended stay."""
        self._live.stop()

    def __call__(self) -> None:
        """Look at the study and show what changed; a database that is away is left to others."""
        try:
            trials = self._trials()
        except (StorageInternalError, SQLAlchemyError):
            return
        results = [t for t in trials if t.state in result_states(self._definition)]
        for trial in trials:
            if trial.state.is_finished() and trial.number not in self._told:
                self._told.add(trial.number)
                self._tell(trial, len(results))
        if self._live.is_started:
            self._live.update(self._display(trials, len(results)), refresh=True)

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _tell(self, trial: FrozenTrial, num_results: int) -> None:
        line = f"{trial_line(trial, self._definition)} [{num_results} of {self._wanted}]"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _display(self, trials: Sequence[FrozenTrial], num_results: int) -> Group:
        head = Table.grid(padding=(0, 1))
        running = self._running()
        busy = sum(t.state is TrialState.RUNNING for t in trials)
        left = time_left(trials, self._wanted, max(busy, self._num_workers))
        head.add_row(
            Text(self._definition.name, style="bold"),
            ProgressBar(total=self._wanted, completed=min(num_results, self._wanted), width=30),
            Text(f"{num_results} of {self._wanted} results"),
            Text(f"about {duration_text(left)} left" if left else ""),
        )
        parts: list[RenderableType] = [
            head,
            Text(best_line(trials, self._definition), style="green"),
        ]
        failures = failure_counts(trials)
        if failures:
            counts = ", ".join(f"{number} {reason}" for reason, number in failures.items())
            parts.append(Text(f"failed: {counts}", style="red"))
        elsewhere = busy - len(running)
        if elsewhere > 0:
            parts.append(Text(f"running in other processes: {elsewhere}", style="dim"))
        return Group(*parts, self._running_table(running))

    def _running_table(self, running: Sequence[RunningTrial]) -> Table:
        table = Table(box=None, padding=(0, 2), show_header=bool(running), header_style="dim")
        for heading in ("running", "attempt", "step", "", self._definition.metric):
            table.add_column(Text(heading), justify="right", no_wrap=True)
        steps = self._definition.steps
        for trial in running[:_MOST_RUNNING]:
            done = trial.step
            table.add_row(
                f"trial {trial.number}",
                str(trial.attempt + 1),
                f"{done}/{steps}",
                ProgressBar(total=steps, completed=min(done, steps), width=20),
                number_text(trial.value, 6),
            )
        if len(running) > _MOST_RUNNING:
            table.add_row(f"and {len(running) - _MOST_RUNNING} more")
        return table


def trial_line(trial: FrozenTrial, definition: Definition) -> str:
    """Return what became of a trial in one line."""
    names = short_names(dimension.name for dimension in definition.space)
    options = ", ".join(f"{names.get(n, n)} {number_text(v)}" for n, v in trial.params.items())
    line = f"trial {trial.number} {_end_text(trial, definition)}"
    if trial.last_step is not None:
        line += f" after {trial.last_step} steps"
    return f"{line}, {duration_text(seconds_of(trial))} ({options})"


def _end_text(trial: FrozenTrial, definition: Definition) -> str:
    if trial.state is TrialState.FAIL:
        return f"failed: {trial.user_attrs.get(attributes.REASON) or 'unknown'}"
    value = objective_of(trial)
    known = value is not None and math.isfinite(value)
    text = f": {definition.metric} {number_text(value, 6)}" if known else ""
    return f"{trial.state.name.lower()}{text}"
