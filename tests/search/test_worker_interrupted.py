"""A host that is stopped leaves nothing behind, and another one goes on as if nothing had been."""

import time
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search.attributes import ENDS
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import Definition, StopSettings
from tests.search import toy_trial
from tests.search.sweeping import (
    NAME,
    lines_of,
    make_host,
    params_of,
    run_host,
    states,
    toy_definition,
)

COMPLETE, WAITING = TrialState.COMPLETE, TrialState.WAITING


def interrupt(
    definition: Definition, storage: SweepStorage, out: Path, busy: int
) -> tuple[str, list[FrozenTrial]]:
    """Run a host and stop it once the trial that never ends by itself is under way."""
    host, study = make_host(definition, storage, out)

    def watch() -> None:
        reached = {trial.number: trial.step for trial in host.running()}
        while reached.get(busy, 0) < toy_trial.FAIL_STEP:
            time.sleep(0.01)
            reached = {trial.number: trial.step for trial in host.running()}
        host.stop()

    return host.run(watch=watch), study.get_trials()


def test_a_stopped_host_puts_its_trial_back_and_a_second_one_continues_it(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition({"trial-0001": "busy_once"}, stopping=StopSettings(trials=3))
    reason, trials = interrupt(definition, sqlite_storage, tmp_path, busy=1)
    assert reason == "interrupted"
    assert states(trials) == [COMPLETE, WAITING]
    assert trials[1].system_attrs[ENDS] == [["interrupted", False]]
    reason, trials = run_host(definition, sqlite_storage, tmp_path)
    assert reason == "3 results"
    lines = lines_of(tmp_path, 1)
    assert {line["step"] for line in lines if line["life"] == 1} == {1, 2, 3}
    assert [line["step"] for line in lines if line["life"] == 2] == [4, 5]


def test_parameters_survive_two_interruptions(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    stopping = StopSettings(trials=5)
    _, straight = run_host(
        toy_definition(stopping=stopping), sqlite_storage, tmp_path / "straight"
    )
    modes = {"trial-0001": "busy_once", "trial-0003": "busy_once"}
    definition = toy_definition(modes, stopping=stopping, name="other")
    for busy in (1, 3):
        reason, _ = interrupt(definition, sqlite_storage, tmp_path, busy)
        assert reason == "interrupted"
    _, trials = run_host(definition, sqlite_storage, tmp_path)
    assert params_of(trials) == params_of(straight)
    assert states(trials) == [COMPLETE] * 5


def test_ctrl_c_leaves_no_child_and_no_running_trial(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition({"trial-0000": "busy"})
    host, study = make_host(definition, sqlite_storage, tmp_path)

    def watch() -> None:
        while not any(trial.step >= toy_trial.FAIL_STEP for trial in host.running()):
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        host.run(watch=watch)
    assert states(study.get_trials()) == [WAITING]
    assert host.running() == []
    log = (tmp_path / NAME / "trial-0000" / "log.txt").read_text(encoding="utf-8")
    pid = int(log.split()[-1])
    assert not Path(f"/proc/{pid}").exists()
