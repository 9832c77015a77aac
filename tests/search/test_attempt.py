"""What a worker does when its trial, its study or its folder is not its own."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import DETAIL, ENDS, REASON, SECONDS, SPENT
from rrnn_lit.search.claims import claim_trial, requeue
from rrnn_lit.search.ladder import extend
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import StopSettings
from rrnn_lit.search.trial_owner import folder_lock
from rrnn_lit.search.worker import SweepHost
from tests.search import toy_trial
from tests.search.sweeping import NAME, make_host, run_host, states, toy_definition

COMPLETE, FAIL, WAITING = TrialState.COMPLETE, TrialState.FAIL, TrialState.WAITING
ONE = StopSettings(trials=1)


def child_of(out: Path, number: int) -> int:
    """Return the process that a trial had last."""
    log = (out / NAME / f"trial-{number:04d}" / "log.txt").read_text(encoding="utf-8")
    return int(log.split()[-1])


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def once_under_way(host: SweepHost, act: Callable[[], None]) -> Callable[[], None]:
    """Return a `watch` that acts once, when a trial is under way."""
    done: list[bool] = []

    def watch() -> None:
        while not done and not any(t.step >= toy_trial.FAIL_STEP for t in host.running()):
            time.sleep(0.01)
        if not done:
            done.append(True)
            act()

    return watch


def test_an_old_run_of_another_study_of_that_name_is_no_result(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    run_host(toy_definition(stopping=ONE), sqlite_storage, tmp_path)
    optuna.delete_study(study_name=NAME, storage=sqlite_storage)
    folder = tmp_path / NAME / "trial-0000"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    host, study = make_host(toy_definition(stopping=ONE, seed=8), sqlite_storage, tmp_path)
    with pytest.raises(ValueError, match="wanted a new folder or the run of trial 0") as raised:
        host.run()
    assert str(folder) in str(raised.value)
    assert "--out" in str(raised.value)
    [trial] = study.get_trials()
    assert trial.state is WAITING
    assert trial.system_attrs[ENDS] == [["interrupted", False]]
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_trial_that_was_told_by_hand_is_left_and_the_host_goes_on(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition(stopping=ONE, steps=40, seconds=0.05)
    # no beat comes before the next value
    host, study = make_host(definition, sqlite_storage, tmp_path, beat_s=100.0)

    def tell() -> None:
        study.tell(0, state=FAIL)

    assert host.run(watch=once_under_way(host, tell)) == "1 results"
    first, second = study.get_trials()
    assert states([first, second]) == [FAIL, COMPLETE]
    assert {REASON, DETAIL, ENDS}.isdisjoint([*first.user_attrs, *first.system_attrs])
    assert not is_alive(child_of(tmp_path, 0))
    assert not (tmp_path / NAME / "trial-0000" / "stop_request").exists(), "it was let live on"


@pytest.mark.parametrize("beat_s", [100.0, 0.05], ids=["noticed by a value", "by a beat"])
def test_a_study_that_is_deleted_ends_the_host_with_one_line(
    sqlite_storage: SweepStorage, tmp_path: Path, beat_s: float
) -> None:
    modes = {} if beat_s > 1 else {"trial-0000": "silent"}
    definition = toy_definition(modes, stopping=ONE, steps=1000, seconds=0.05)
    host, _ = make_host(definition, sqlite_storage, tmp_path, beat_s=beat_s)

    def delete() -> None:
        optuna.delete_study(study_name=NAME, storage=sqlite_storage)

    with pytest.raises(ValueError, match="^study toy: it was deleted while this host ran it$"):
        host.run(watch=once_under_way(host, delete))
    assert not is_alive(child_of(tmp_path, 0))


def test_a_run_that_ends_before_its_steps_says_so_also_in_the_next_rung(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition(stopping=ONE, stop_at=3)
    _, [trial] = run_host(definition, sqlite_storage, tmp_path)
    assert trial.state is COMPLETE
    assert trial.user_attrs[DETAIL] == "ended at step 3 of 5: no gain"
    _, rung = extend(NAME, 1, 9, sqlite_storage)
    _, [longer] = run_host(rung, sqlite_storage, tmp_path)
    assert longer.state is COMPLETE
    assert longer.value == trial.value
    assert longer.user_attrs[DETAIL] == "ended at step 3 of 9: no gain"


def test_the_time_of_an_attempt_that_died_with_its_host_counts(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    host, study = make_host(toy_definition(stopping=ONE), sqlite_storage, tmp_path)
    claim = claim_trial(study, sqlite_storage, 1)
    assert claim is not None
    [trial] = study.get_trials()
    sqlite_storage.set_trial_system_attr(trial._trial_id, SPENT, 1000.0)
    assert requeue(study, sqlite_storage, trial._trial_id, 0, "killed", counted=True)
    host.run()
    [trial] = study.get_trials()
    assert 1000.0 < trial.user_attrs[SECONDS] < 1100.0
    assert trial.system_attrs[SPENT] >= 1000.0


def test_a_folder_that_another_worker_writes_into_is_waited_for(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition(stopping=ONE)
    host, study = make_host(definition, sqlite_storage, tmp_path, grace_s=0.8, beat_s=0.1)
    folder = tmp_path / NAME / "trial-0000"
    with ExitStack() as stack:
        assert stack.enter_context(folder_lock(folder, 0.0, lambda: False))

        def let_go() -> None:
            [trial] = study.get_trials()
            if ENDS in trial.system_attrs:
                assert os.listdir(folder) == [".lock"]
                stack.close()

        assert host.run(watch=let_go) == "1 results"
    [trial] = study.get_trials()
    assert trial.state is COMPLETE
    assert {tuple(end) for end in trial.system_attrs[ENDS]} == {("interrupted", False)}
