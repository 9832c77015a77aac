import io
from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState
from rich.console import Console

from rrnn_lit.search.attributes import DEFINITION
from rrnn_lit.search.show import (
    best_first,
    duration_text,
    number_text,
    print_studies,
    print_study,
    short_names,
    time_left,
)
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import Definition
from tests.search.finished_studies import (
    METRIC,
    complete,
    define,
    fail,
    make_study,
    prune,
    start,
    trials_of,
)

Shown = Callable[..., str]


@pytest.fixture
def shown() -> Shown:
    """Print a study as into a file."""

    def show(study: optuna.Study, definition: Definition, show_all: bool = False) -> str:
        stream = io.StringIO()
        print_study(trials_of(study), definition, Console(file=stream, width=500), show_all)
        return stream.getvalue()

    return show


@pytest.fixture
def definition() -> Definition:
    return define()


@pytest.fixture
def study(definition: Definition) -> optuna.Study:
    return make_study(definition)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.2243115e-5, "4.224e-05"),
        (0.00080001, "0.0008"),
        (256, "256"),
        (256.0, "256"),
        (True, "True"),
        ("mup", "mup"),
        (None, "-"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_keeps_four_digits(value: object, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (45, "45 s"), (89, "89 s"), (750, "12.5 min"), (11520, "3.2 h"),
     (181440, "2.1 days")],
)  # fmt: skip
def test_a_duration_has_a_unit_of_its_size(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


def test_names_are_short_where_that_is_clear() -> None:
    names = ["model.lr", "1-model.decay", "model.seed", "data.seed"]
    assert list(short_names(names).values()) == ["lr", "1-decay", "model.seed", "data.seed"]


@pytest.mark.parametrize(("direction", "best"), [("maximize", 2), ("minimize", 0)])
def test_best_trials_come_first_and_failed_ones_last(direction: str, best: int) -> None:
    definition = define(direction=direction)
    study = make_study(definition)
    fail_number = fail(study, definition, "oom").number
    for value in (10.0, 20.0, 30.0):
        complete(study, definition, value)
    pruned = prune(study, definition, 40.0).number
    start(study, definition)
    study.enqueue_trial({})
    order = [trial.number for trial in best_first(trials_of(study), direction)]
    first = [3, 2, 1] if direction == "maximize" else [1, 2, 3]
    assert order == [*first, pruned, 5, 6, fail_number]
    assert order[0] == best + 1


def test_a_value_that_is_not_finite_is_never_best(
    study: optuna.Study, definition: Definition
) -> None:
    complete(study, definition, float("inf"))
    complete(study, definition, 3.0)
    assert best_first(trials_of(study), "maximize")[0].number == 1


def test_the_table_has_every_trial_with_reason_steps_and_parameters(
    study: optuna.Study, definition: Definition, shown: Shown
) -> None:
    complete(study, definition, 123.456)
    fail(study, definition, "oom", "line 1\nCUDA out of memory [4 GiB]")
    output = shown(study, definition)
    rows = [line for line in output.splitlines() if line.startswith("│")]
    assert [row.split("│")[1].strip() for row in rows] == ["0", "1"]
    cells = [cell.strip() for cell in rows[0].split("│")]
    assert cells[2:7] == ["complete", "", "123.456", "200", "30 s"]
    params = trials_of(study)[0].params
    assert cells[7:9] == [
        f"{params['model.learning_rate']:.4g}",
        f"{params['1-model.decay']:.4g}",
    ]
    assert "oom" in rows[1]
    assert "paper: 1 complete, 1 fail (failed: 1 oom)" in output
    assert f"best so far: {METRIC} 123.456, trial 0" in output
    assert "CUDA" not in output


def test_all_shows_why_a_trial_failed(
    study: optuna.Study, definition: Definition, shown: Shown
) -> None:
    fail(study, definition, "error", "line 1\nCUDA out of memory [4 GiB]")
    output = shown(study, definition, True)
    assert "trial 0 failed: error\nline 1\nCUDA out of memory [4 GiB]\n" in output


def test_a_trial_that_was_put_back_and_ended_well_has_no_reason(
    study: optuna.Study, definition: Definition, shown: Shown
) -> None:
    study.tell(start(study, definition, reason=None, detail=None), 1.0)
    lost = start(study, definition, reason=None, detail=None)
    study.tell(lost, state=TrialState.FAIL)
    output = shown(study, definition, True)
    assert "None" not in output
    assert f"trial {lost.number} failed: unknown\nno detail was kept" in output
    assert "(failed: 1 unknown)" in output


def test_a_study_without_a_complete_trial_says_so(
    study: optuna.Study, definition: Definition, shown: Shown
) -> None:
    assert "paper: no trials yet" in shown(study, definition)
    prune(study, definition, 4.0)
    assert "best so far: none, no trial is complete" in shown(study, definition)


def test_time_left_counts_whole_rounds_of_the_workers(
    study: optuna.Study, definition: Definition, shown: Shown
) -> None:
    assert time_left(trials_of(study), 12, 2) is None
    complete(study, definition, 1.0)  # 30 s
    prune(study, definition, 1.0)  # 10 s
    assert time_left(trials_of(study), 12, 4) == 3 * 20
    assert time_left(trials_of(study), 2, 4) == 0
    assert "time left" not in shown(study, definition)
    start(study, definition)
    assert "time left: about 3.3 min with 1 running" in shown(study, definition)


def test_studies_are_listed_also_those_of_others(sqlite_storage: SweepStorage) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    print_studies(sqlite_storage, console)
    assert stream.getvalue() == "no studies yet\n"
    definition = define("mine")
    study = make_study(definition, sqlite_storage)
    complete(study, definition, 77.5)
    complete(study, definition, float("inf"))
    fail(study, definition, "nan")
    optuna.create_study(study_name="theirs", storage=sqlite_storage)
    print_studies(sqlite_storage, console)
    mine, theirs = [line for line in stream.getvalue().splitlines() if line.startswith("│")]
    for part in (
        "mine",
        f"maximize {METRIC}",
        "200",
        "2 complete, 1 fail (failed: 1 nan)",
        "77.5",
    ):
        assert part in mine
    assert "not made by rrnn" in theirs


def test_an_unreadable_study_does_not_hide_the_others(sqlite_storage: SweepStorage) -> None:
    optuna.create_study(study_name="broken", storage=sqlite_storage).set_user_attr(
        DEFINITION, "{}"
    )
    make_study(define("mine"), sqlite_storage)
    stream = io.StringIO()
    print_studies(sqlite_storage, Console(file=stream, width=500))
    broken, mine = [line for line in stream.getvalue().splitlines() if line.startswith("│")]
    assert "broken" in broken
    assert "cannot read" in broken
    assert f"maximize {METRIC}" in mine
