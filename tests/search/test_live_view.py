import io

import optuna
import pytest
from rich.console import Console

from rrnn_lit.search.attempt import RunningTrial
from rrnn_lit.search.live_view import LiveView, trial_line
from rrnn_lit.search.study_file import Definition
from tests.search.finished_studies import (
    METRIC,
    SPACE,
    complete,
    define,
    fail,
    make_study,
    prune,
    start,
    trials_of,
)


@pytest.fixture
def definition() -> Definition:
    return define(space=SPACE[:1])


@pytest.fixture
def study(definition: Definition) -> optuna.Study:
    return make_study(definition)


class Shown:
    """A view of a study and what it wrote."""

    def __init__(self, study: optuna.Study, definition: Definition, is_terminal: bool) -> None:
        self.stream = io.StringIO()
        self.running: list[RunningTrial] = []
        console = Console(
            file=self.stream, width=120, height=50, force_terminal=is_terminal, color_system=None
        )
        self.view = LiveView(study, definition, 12, 2, lambda: self.running, console)

    def text(self) -> str:
        return self.stream.getvalue()


def test_in_a_file_each_end_is_one_line_and_nothing_else(
    study: optuna.Study, definition: Definition
) -> None:
    complete(study, definition, 1.0)
    shown = Shown(study, definition, False)
    with shown.view as view:
        view()
        assert shown.text() == ""  # it ended before
        complete(study, definition, 20.0)
        prune(study, definition, 3.0)
        fail(study, definition, "oom")
        start(study, definition)
        view()
        view()
    trials = trials_of(study)
    lines = shown.text().splitlines()
    assert [line.rsplit(" [", 1)[1] for line in lines] == ["3 of 12]"] * 3
    rate = f"(learning_rate {trials[1].params['model.learning_rate']:.4g})"
    assert lines[0] == f"trial 1 complete: {METRIC} 20 after 200 steps, 30 s {rate} [3 of 12]"
    assert lines[1].startswith(f"trial 2 pruned: {METRIC} 3 after 100 steps, 10 s")
    assert lines[2].startswith("trial 3 failed: oom after 50 steps")


def test_a_trial_that_failed_at_its_start_has_a_line(
    study: optuna.Study, definition: Definition
) -> None:
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    assert trial_line(trials_of(study)[0], definition) == "trial 0 failed: unknown, 0 s ()"


def test_on_a_terminal_the_display_tells_how_far_the_study_is(
    study: optuna.Study, definition: Definition
) -> None:
    shown = Shown(study, definition, True)
    complete(study, definition, 20.0)
    fail(study, definition, "oom")
    start(study, definition)
    start(study, definition)
    shown.running = [RunningTrial(2, 1, 150, 7.5, 0.0)]
    with shown.view as view:
        view()
        text = shown.text()
    assert "paper" in text
    assert "1 of 12 results" in text
    assert "about 3.0 min left" in text  # 11 results in 6 rounds of 30 s
    assert f"best so far: {METRIC} 20, trial 0 (learning_rate " in text
    assert "failed: 1 oom" in text
    assert "running in other processes: 1" in text
    (row,) = (line for line in text.splitlines() if "150/200" in line)
    assert row.split()[:4] == ["trial", "2", "2", "150/200"]
    assert row.split()[-1] == "7.5"
    assert METRIC in text


def test_more_running_trials_than_lines_are_counted(
    study: optuna.Study, definition: Definition
) -> None:
    shown = Shown(study, definition, True)
    shown.running = [RunningTrial(number, 0, 0, None, 0.0) for number in range(20)]
    with shown.view as view:
        view()
    assert "trial 15" in shown.text()
    assert "trial 16" not in shown.text()
    assert "and 4 more" in shown.text()


def test_brackets_in_a_name_are_no_markup(definition: Definition) -> None:
    study = make_study(definition)
    shown = Shown(study, definition, False)
    fail(study, definition, "[bold]oom[/bold]")
    with shown.view as view:
        view()
    assert "[bold]oom[/bold]" in shown.text()
