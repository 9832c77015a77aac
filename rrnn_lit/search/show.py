"""`rrnn sweep show`: a study as a table, best trial first, and how far it is."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rrnn_lit.search import attributes
from rrnn_lit.search.stop_rule import RESULT_STATES, best_complete
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study import stored_definition
from rrnn_lit.search.study_file import Definition

_ORDER = {
    TrialState.COMPLETE: 0,
    TrialState.PRUNED: 1,
    TrialState.RUNNING: 2,
    TrialState.WAITING: 3,
    TrialState.FAIL: 4,
}
_STYLES = {TrialState.FAIL: "red", TrialState.PRUNED: "dim", TrialState.RUNNING: "cyan"}


def number_text(value: object, digits: int = 4) -> str:
    """Return a number in `digits` significant digits, other values as they are, None as `-`."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9):
        return str(int(value))
    return f"{value:.{digits}g}"


def duration_text(seconds: float | None) -> str:
    """Return seconds as `45 s`, `12.5 min`, `3.2 h` or `2.1 days`."""
    if seconds is None:
        return "-"
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return name -> its last part, or the whole name where two would look alike.

    `1-model.decay` becomes `1-decay`.
    """
    names = list(dict.fromkeys(names))
    tails = {name: _tail(name) for name in names}
    counts = Counter(tails.values())
    return {name: tail if counts[tail] == 1 else name for name, tail in tails.items()}


def _tail(name: str) -> str:
    prefix = "1-" if name.startswith("1-") else ""
    return prefix + name.rsplit(".", 1)[-1]


def objective_of(trial: FrozenTrial) -> float | None:
    """Return the trial's result, or the last value it reported on its way there."""
    if trial.state is TrialState.COMPLETE:
        return trial.value
    step = trial.last_step
    return None if step is None else trial.intermediate_values[step]


def seconds_of(trial: FrozenTrial) -> float | None:
    """Return the wall time of all attempts of a trial that has ended."""
    seconds = trial.user_attrs.get(attributes.SECONDS)
    if seconds is not None:
        return float(seconds)
    return trial.duration.total_seconds() if trial.duration is not None else None


def best_first(trials: Iterable[FrozenTrial], direction: str) -> list[FrozenTrial]:
    """Return the trials by state (finished, pruned, running, waiting, failed), best first."""
    sign = -1 if direction == "maximize" else 1

    def rank(trial: FrozenTrial) -> tuple[int, bool, float, int]:
        value = objective_of(trial)
        known = value is not None and math.isfinite(value)
        return (
            _ORDER[trial.state],
            not known,
            sign * value if known and value is not None else 0.0,
            trial.number,
        )

    return sorted(trials, key=rank)


def time_left(trials: Sequence[FrozenTrial], wanted: int, num_workers: int) -> float | None:
    """Return seconds until `wanted` results, from the mean of those there; None without one."""
    done = [t for t in trials if t.state in RESULT_STATES]
    seconds = [s for s in map(seconds_of, done) if s is not None]
    if not seconds:
        return None
    missing = max(0, wanted - len(done))
    # the last round takes a whole trial, however few workers have one
    rounds = math.ceil(missing / max(1, num_workers))
    return rounds * sum(seconds) / len(seconds)


def trial_table(trials: Sequence[FrozenTrial], definition: Definition) -> Table:
    """Return the trials as rows in the order given."""
    names = short_names(dimension.name for dimension in definition.space)
    table = Table(title=f"{definition.name}: {definition.metric}, {definition.direction}")
    for heading in ("trial", "state", "reason", "value", "steps", "time"):
        table.add_column(
            heading, justify="left" if heading in ("state", "reason") else "right", no_wrap=True
        )
    for short in names.values():
        table.add_column(Text(short), justify="right", overflow="fold")
    for trial in trials:
        cells = [
            str(trial.number),
            trial.state.name.lower(),
            str(trial.user_attrs.get(attributes.REASON) or ""),
            number_text(objective_of(trial), 6),
            number_text(trial.last_step),
            duration_text(seconds_of(trial)),
            *(number_text(trial.params.get(name)) for name in names),
        ]
        table.add_row(*map(Text, cells), style=_STYLES.get(trial.state))
    return table


def state_line(trials: Iterable[FrozenTrial]) -> str:
    """Return how many trials are in which state, and why those that failed did."""
    trials = list(trials)
    states = Counter(trial.state for trial in trials)
    parts = [f"{states[state]} {state.name.lower()}" for state in _ORDER if states[state]]
    text = ", ".join(parts) or "no trials yet"
    reasons = failure_counts(trials)
    if reasons:
        text += f" (failed: {', '.join(f'{n} {reason}' for reason, n in reasons.items())})"
    return text


def failure_counts(trials: Iterable[FrozenTrial]) -> dict[str, int]:
    """Return reason -> number of failed trials, the most frequent first."""
    reasons = (
        str(trial.user_attrs.get(attributes.REASON) or "unknown")
        for trial in trials
        if trial.state is TrialState.FAIL
    )
    return dict(Counter(reasons).most_common())


def best_line(trials: Sequence[FrozenTrial], definition: Definition) -> str:
    """Return value, number and parameters of the best trial so far."""
    ordered = best_complete(trials, definition.direction)
    if not ordered:
        return "best so far: none, no trial is complete"
    best = ordered[0]
    names = short_names(dimension.name for dimension in definition.space)
    options = ", ".join(f"{names.get(n, n)} {number_text(v)}" for n, v in best.params.items())
    value = number_text(objective_of(best), 6)
    return f"best so far: {definition.metric} {value}, trial {best.number} ({options})"


def print_study(
    trials: Sequence[FrozenTrial], definition: Definition, console: Console, show_all: bool
) -> None:
    """Print table, counts, best trial and the time left while trials are running.

    Args:
        trials: all trials of the study.
        definition: what the study is.
        console: where to print.
        show_all: also print the detail of every failed trial.
    """
    ordered = best_first(trials, definition.direction)
    if ordered:
        console.print(trial_table(ordered, definition))
    _say(console, f"{definition.name}: {state_line(trials)}")
    _say(console, best_line(trials, definition))
    running = sum(trial.state is TrialState.RUNNING for trial in trials)
    left = time_left(trials, definition.stopping.trials, running) if running else None
    if left:
        _say(console, f"time left: about {duration_text(left)} with {running} running")
    if show_all:
        for trial in (t for t in ordered if t.state is TrialState.FAIL):
            reason = trial.user_attrs.get(attributes.REASON) or "unknown"
            _say(console, f"\ntrial {trial.number} failed: {reason}")
            _say(console, str(trial.user_attrs.get(attributes.DETAIL) or "no detail was kept"))


def print_studies(storage: SweepStorage, console: Console) -> None:
    """Print objective, steps and states of every study in the storage."""
    table = Table(title="studies")
    for heading in ("study", "objective", "steps", "trials", "best"):
        table.add_column(heading, overflow="fold")
    for name in optuna.get_all_study_names(storage=storage):
        table.add_row(*map(Text, _study_cells(name, storage)))
    if table.row_count:
        console.print(table)
    else:
        _say(console, "no studies yet")


def _study_cells(name: str, storage: SweepStorage) -> list[str]:
    study = optuna.load_study(study_name=name, storage=storage)
    trials = study.get_trials(deepcopy=False)
    text = study.user_attrs.get(attributes.DEFINITION)
    if text is None:
        return [name, "not made by rrnn", "-", str(len(trials)), "-"]
    try:
        definition = stored_definition(text, name)
    except ValueError as error:  # the others can still be shown
        return [name, f"cannot read: {error}", "-", str(len(trials)), "-"]
    best = best_complete(trials, definition.direction)
    objective = f"{definition.direction} {definition.metric}"
    value = number_text(objective_of(best[0]) if best else None, 6)
    return [name, objective, str(definition.steps), state_line(trials), value]


def _say(console: Console, line: str) -> None:
    # a study's name or a log's brackets are no markup
    console.print(line, markup=False, highlight=False, soft_wrap=True)
