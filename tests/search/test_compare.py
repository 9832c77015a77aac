import io
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from rich.console import Console

from rrnn_lit.search.compare import (
    Course,
    check_comparable,
    comparison_table,
    course_of,
    write_comparison,
)
from rrnn_lit.search.storage import SweepStorage
from tests.search.finished_studies import complete, define, fail, make_study, prune


def filled(name: str = "paper", direction: str = "maximize") -> optuna.Study:
    """30 s a complete trial, 10 s a pruned one; a failed one took no time to speak of."""
    definition = define(name, direction=direction)
    study = make_study(definition)
    fail(study, definition, "oom")
    complete(study, definition, 50.0)
    prune(study, definition, 900.0)
    complete(study, definition, 40.0)
    complete(study, definition, 60.0)
    return study


@pytest.mark.parametrize(
    ("direction", "best"),
    [("maximize", (None, 50, 50, 50, 60)), ("minimize", (None, 50, 50, 40, 40))],
)
def test_time_adds_up_and_only_complete_trials_count_as_best(
    direction: str, best: tuple[float | None, ...]
) -> None:
    course = course_of(filled(direction=direction))
    assert course.best == best
    assert [round(seconds) for seconds in course.seconds] == [0, 30, 40, 70, 100]


def test_a_value_that_is_no_number_is_never_best() -> None:
    definition = define()
    study = make_study(definition)
    for value in (float("inf"), 40.0):
        complete(study, definition, value)
    assert course_of(study).best == (None, 40.0)


@pytest.mark.parametrize(
    ("direction", "value", "seconds"),
    [("maximize", 50, 30), ("maximize", 55, 100), ("maximize", 61, None), ("minimize", 40, 70)],
)
def test_time_until_a_value(direction: str, value: float, seconds: float | None) -> None:
    until = course_of(filled(direction=direction)).seconds_until(value, direction)
    assert (None if until is None else round(until)) == seconds


def test_the_table_holds_each_study_against_the_first(tmp_path: Path) -> None:
    slow = Course("random", (30.0, 60.0, 100.0), (10.0, 12.0, 15.0))
    fast = Course("pruned", (20.0, 40.0), (14.0, 16.0))
    poor = Course("poor", (20.0,), (3.0,))
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as printed:
        console.print(comparison_table([slow, fast, poor], define()))
    rows = [line.split("│")[1:-1] for line in printed.get().splitlines() if "│" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["random", "3", "1.7 min", "15", "100 s (100%)"],
        ["pruned", "2", "40 s", "16", "40 s (40%)"],
        ["poor", "1", "20 s", "3", "never"],
    ]
    path = write_comparison([slow, fast, poor], define(), tmp_path / "new" / "compare.png")
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"steps": 100}, "study other: wanted steps 200 as in paper, got 100"),
        ({"metric": "a/b"}, "study other: wanted metric tune/matched_words as in paper, got a/b"),
    ],
)
def test_studies_of_other_budget_or_objective_are_refused(
    changes: dict[str, object], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        check_comparable([(filled(), define()), (filled(), define("other", **changes))])


def test_a_study_without_a_complete_trial_is_refused() -> None:
    definition = define("other")
    with pytest.raises(ValueError, match="study other: wanted a complete trial, got none yet"):
        check_comparable([(filled(), define()), (make_study(definition), definition)])


def test_trials_that_lost_their_value_or_their_time_are_no_hindrance(
    sqlite_storage: SweepStorage,
) -> None:
    definition = define()
    study = make_study(definition, sqlite_storage)
    for value in (1.0, 5.0, 2.0):
        complete(study, definition, value)
    with sqlite_storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("DELETE FROM trial_values WHERE value = 5"))
        for number in (1, 2):
            lose = "UPDATE trials SET datetime_complete = NULL WHERE number = :number"
            connection.execute(sqlalchemy.text(lose), {"number": number})
    study = optuna.load_study(study_name=definition.name, storage=sqlite_storage)
    check_comparable([(study, definition)])
    assert course_of(study).best == (1.0, 1.0, 2.0)
