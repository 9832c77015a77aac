import time
from datetime import UTC, datetime, timedelta
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from rrnn_lit.search.attributes import DETAIL, REASON
from rrnn_lit.search.stop_rule import stop_reason
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import LimitSettings, SamplerSettings, StopSettings
from tests.search.sweeping import toy_definition

BEGIN = datetime(2026, 1, 2, 3, 4, 5)


def trial(
    number: int, value: float | None, state: str = "COMPLETE", **attributes: Any
) -> FrozenTrial:
    made = create_trial(state=TrialState[state], value=value, user_attrs=attributes)
    made.number = number
    made.datetime_start = BEGIN + timedelta(minutes=number)
    made.datetime_complete = None if state in ("RUNNING", "WAITING") else made.datetime_start
    return made


def complete(*values: float) -> list[FrozenTrial]:
    return [trial(number, value) for number, value in enumerate(values)]


def reason(
    trials: list[FrozenTrial],
    stopping: StopSettings | None = None,
    now: datetime | None = None,
    **changes: Any,
) -> str | None:
    stopping = stopping or StopSettings(trials=3)
    definition = toy_definition(stopping=stopping, **changes)
    return stop_reason(trials, definition, stopping.trials, now)


def test_results_are_counted_not_starts() -> None:
    others = [trial(2, None, "FAIL"), trial(3, None, "RUNNING"), trial(4, None, "WAITING")]
    assert reason([*complete(1, 2), *others]) is None
    assert reason([*complete(1, 2), *others, trial(5, 0.5, "PRUNED")]) == "3 results"


@pytest.mark.parametrize(
    ("direction", "values", "stops"),
    [
        ("maximize", (1, 9.5, 2), False),
        ("maximize", (1, 10, 2), True),
        ("minimize", (11, 10.5), False),
        ("minimize", (11, 10, 12), True),
    ],
)
def test_a_reached_target_ends_the_study(
    direction: str, values: tuple[float, ...], stops: bool
) -> None:
    stopping = StopSettings(trials=9, target=10.0)
    found = reason(complete(*values), stopping, direction=direction)
    assert found == ("objective reached 10" if stops else None)


def test_the_value_of_a_pruned_trial_is_no_target() -> None:
    stopping = StopSettings(trials=9, target=10.0)
    assert reason([trial(0, 50.0, "PRUNED")], stopping) is None


@pytest.mark.parametrize(
    ("direction", "values", "without"),
    [
        ("maximize", (1, 2, 3, 4, 5, 6), None),
        ("maximize", (5, 1, 2), None),
        ("maximize", (5, 1, 2, 5), 3),
        ("maximize", (1, 5, 1, 2), None),
        ("minimize", (1, 5, 2, 2), 3),
        ("minimize", (1, 5, 0.5, 2), None),
    ],
)
def test_patience_counts_results_behind_the_best(
    direction: str, values: tuple[float, ...], without: int | None
) -> None:
    found = reason(complete(*values), StopSettings(trials=9, patience=3), direction=direction)
    assert found == (None if without is None else f"no better best in {without} results")


def test_pruned_trials_use_up_patience() -> None:
    pruned = [trial(number, 99.0, "PRUNED") for number in (1, 2)]
    stopping = StopSettings(trials=9, patience=2)
    assert reason([trial(0, 5.0), *pruned], stopping) == "no better best in 2 results"


@pytest.mark.parametrize("zone", ["UTC", "EST5", "IST-5:30"])
@pytest.mark.parametrize(("minutes", "text"), [(-1, None), (1, "1 hours are over")])
def test_hours_count_from_the_first_start_in_any_time_zone(
    sqlite_storage: SweepStorage,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    minutes: int,
    text: str | None,
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        study = optuna.create_study(storage=sqlite_storage)
        study.tell(study.ask(), 1.0)
        now = datetime.now(UTC) + timedelta(minutes=60 + minutes)
        stopping = StopSettings(trials=9, hours=1.0)
        found = reason(study.get_trials(), stopping, now)
    time.tzset()
    assert found == text


def test_a_study_without_trials_goes_on() -> None:
    assert reason([], StopSettings(trials=9, hours=2.0, target=1.0, patience=1)) is None


def test_too_many_failures_end_the_study_and_the_last_is_named() -> None:
    limits = LimitSettings(max_failures=2)
    failed = [
        trial(0, None, "FAIL", **{REASON: "oom", DETAIL: "exit code 71\nthe first"}),
        trial(2, None, "FAIL", **{REASON: "oom", DETAIL: "exit code 71\nthe last"}),
        trial(1, None, "FAIL", **{REASON: "oom"}),
    ]
    assert reason(failed[:2], limits=limits) is None
    found = reason(failed, limits=limits)
    assert found == "3 trials failed, limits.max_failures is 2; the last: the last"


def test_a_failed_point_of_a_grid_is_a_result() -> None:
    trials = [*complete(1, 2), trial(2, None, "FAIL"), trial(3, None, "RUNNING")]
    assert reason(trials, sampler=SamplerSettings("grid")) == "3 results"
    assert reason(trials, sampler=SamplerSettings("random")) is None
