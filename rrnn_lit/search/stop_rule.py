"""Which trials count, which are the best, and when a study is done; pure: trials in, facts out."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search import attributes
from rrnn_lit.search.study_file import Definition

RESULT_STATES = (TrialState.COMPLETE, TrialState.PRUNED)


def result_states(definition: Definition) -> tuple[TrialState, ...]:
    """Return the states that count as a result.

    A failed draw is made up for by another one; a failed point of a grid is what the grid has to
    say there.
    """
    is_grid = definition.sampler.kind == "grid"
    return (*RESULT_STATES, TrialState.FAIL) if is_grid else RESULT_STATES


def finite_value(trial: FrozenTrial) -> float | None:
    """Return what a complete trial came to; None for others and for a value that is no number."""
    value = trial.values[0] if trial.state is TrialState.COMPLETE and trial.values else None
    return value if value is not None and math.isfinite(value) else None


def best_complete(trials: Iterable[FrozenTrial], direction: str) -> list[FrozenTrial]:
    """Return the complete trials with a finite value, best first; of equal ones the lower number.

    Args:
        trials: any of a study.
        direction: `maximize` or `minimize`.
    """
    sign = -1 if direction == "maximize" else 1
    valued = [(finite_value(trial), trial) for trial in trials]
    known = [(sign * value, trial.number, trial) for value, trial in valued if value is not None]
    return [trial for *_, trial in sorted(known, key=lambda entry: entry[:2])]


def stop_reason(
    trials: Sequence[FrozenTrial], definition: Definition, wanted: int, now: datetime | None = None
) -> str | None:
    """Return why no new trial is to be started, or None.

    Args:
        trials: all trials of the study.
        definition: the study, with its stop rule and limits.
        wanted: number of results.
        now: in UTC; None for the time of the call.
    """
    stopping, limits = definition.stopping, definition.limits
    states = result_states(definition)
    results = sorted((t for t in trials if t.state in states), key=lambda t: t.number)
    if len(results) >= wanted:
        return f"{len(results)} results"
    if stopping.target is not None and _reaches(results, stopping.target, definition.direction):
        return f"objective reached {stopping.target:g}"
    if stopping.patience is not None:
        without = _results_without_gain(results, definition.direction)
        if without >= stopping.patience:
            return f"no better best in {without} results"
    if stopping.hours is not None and _hours(trials, now) >= stopping.hours:
        return f"{stopping.hours:g} hours are over"
    failed = [trial for trial in trials if trial.state is TrialState.FAIL]
    if len(failed) > limits.max_failures:
        allowed = f"limits.max_failures is {limits.max_failures}"
        return f"{len(failed)} trials failed, {allowed}; the last: {_last_detail(failed)}"
    return None


def _last_detail(failed: Sequence[FrozenTrial]) -> str:
    """Return the last line that the last failed trial left, else its reason."""
    last = max(failed, key=lambda t: (t.datetime_complete or datetime.min, t.number)).user_attrs
    lines = str(last.get(attributes.DETAIL) or "").split("\n")
    return lines[-1] or str(last.get(attributes.REASON) or "no reason known")


def _values(results: Sequence[FrozenTrial], direction: str) -> list[float | None]:
    """Return the value of each result so that more is better; None for a pruned one."""
    sign = 1 if direction == "maximize" else -1
    values = [finite_value(trial) for trial in results]
    return [None if value is None else sign * value for value in values]


def _reaches(results: Sequence[FrozenTrial], target: float, direction: str) -> bool:
    sign = 1 if direction == "maximize" else -1
    values = _values(results, direction)
    return any(value is not None and value >= sign * target for value in values)


def _results_without_gain(results: Sequence[FrozenTrial], direction: str) -> int:
    """Count results behind the best one, in the order of their numbers."""
    values = _values(results, direction)
    known = [value for value in values if value is not None]
    return len(values) - 1 - values.index(max(known)) if known else len(values)


def _hours(trials: Sequence[FrozenTrial], now: datetime | None) -> float:
    """Return the hours since the first trial began.

    Optuna stores UTC and hands out local time without saying so.
    """
    starts = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    if not starts:
        return 0.0
    return ((now or datetime.now(UTC)) - min(starts).astimezone()).total_seconds() / 3600
