import json
import math
from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.search.trial_log import TrialLog

METRIC = "tune/matched_words"


def line(step: int, life: int = 1, **figures: float) -> str:
    return json.dumps({"step": step, "time": 1.5, "life": life, **figures}) + "\n"


def value(step: int, number: float, life: int = 1) -> str:
    return line(step, life, **{METRIC: number})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def append(path: Path, text: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def test_values_come_once_and_only_from_complete_lines(path: Path) -> None:
    log = TrialLog(path, METRIC)
    assert log.new_values() == []
    append(path, value(5, 10) + line(6, loss=0.5))
    assert log.new_values() == [(5, 10.0)]
    late = value(10, 20)
    append(path, late[:20])
    assert log.new_values() == []
    append(path, late[20:] + value(15, 30))
    assert log.new_values() == [(10, 20.0), (15, 30.0)]
    assert log.new_values() == []


def test_steps_that_a_resumed_run_repeats_are_left_out(path: Path) -> None:
    append(path, value(5, 10) + value(10, 20))
    log = TrialLog(path, METRIC)
    log.new_values()
    append(path, value(5, 10, life=2) + value(10, 20, life=2) + value(15, 30, life=2))
    assert log.new_values() == [(15, 30.0)]


def test_a_line_cut_by_a_kill_and_begun_anew_is_read_once(path: Path) -> None:
    append(path, value(5, 10) + value(10, 20)[:15])
    log = TrialLog(path, METRIC)
    assert log.new_values() == [(5, 10.0)]
    path.write_text(value(5, 10) + value(10, 21, life=2), encoding="utf-8")
    assert log.new_values() == [(10, 21.0)]


def test_the_last_value_of_every_figure_is_known(path: Path) -> None:
    append(path, line(1, loss=3.0, rate=0.1) + value(2, 7) + line(3, loss=2.0))
    log = TrialLog(path, METRIC)
    log.new_values()
    assert log.last == {"loss": 2.0, "rate": 0.1, METRIC: 7.0}
    assert (log.lines, log.step) == (3, 3)


def test_a_value_that_is_not_finite_is_reported_as_it_is(path: Path) -> None:
    append(path, value(5, math.nan))
    [(step, number)] = TrialLog(path, METRIC).new_values()
    assert step == 5
    assert math.isnan(number)


@pytest.mark.parametrize(
    "bad",
    ["not JSON", "[1, 2]", '{"step": "x"}', '{"life": 1}', json.dumps({"step": 4, METRIC: "x"})],
)
def test_a_line_of_another_kind_is_passed_over(path: Path, bad: Any) -> None:
    append(path, f"{bad}\n{value(5, 10)}")
    log = TrialLog(path, METRIC)
    assert log.new_values() == [(5, 10.0)]
    assert log.lines == 2


def test_what_the_run_did_beyond_the_trials_steps_is_not_the_trials(path: Path) -> None:
    append(path, value(5, 10) + value(10, 20) + value(15, 30))
    log = TrialLog(path, METRIC, most_steps=10)
    assert log.new_values() == [(5, 10.0), (10, 20.0)]
    assert log.last == {METRIC: 20.0}
    assert log.step == 10
