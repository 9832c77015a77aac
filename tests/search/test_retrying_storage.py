import inspect
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from rrnn_lit.search.storage import SweepStorage, open_storage

_LOSE = Callable[[SweepStorage], None]


def _running_trial(storage: SweepStorage) -> tuple[int, int]:
    study_id = storage.create_new_study([StudyDirection.MAXIMIZE], "one")
    return study_id, storage.create_new_trial(study_id)


def test_every_call_of_optuna_waits_for_the_database() -> None:
    public = {name for name in dir(optuna.storages.BaseStorage) if not name.startswith("_")}
    cache = inspect.getsource(optuna.storages.get_storage("sqlite://").__class__)
    called = set(re.findall(r"self\._backend\.(\w+)", cache))
    assert len(called) > 15
    heartbeat = {name for name in called if "heartbeat" in name or "stale" in name}
    no_database = {"check_trial_is_updatable", "remove_session"}
    assert (public | called) - heartbeat - no_database <= set(vars(SweepStorage))


@pytest.mark.parametrize(
    ("state", "values"),
    [(TrialState.COMPLETE, [0.5]), (TrialState.PRUNED, None), (TrialState.FAIL, None)],
)
def test_an_end_whose_answer_was_lost_is_told(
    sqlite_storage: SweepStorage,
    lose_next_answer: _LOSE,
    state: TrialState,
    values: list[float] | None,
) -> None:
    _, trial_id = _running_trial(sqlite_storage)
    lose_next_answer(sqlite_storage)
    assert sqlite_storage.set_trial_state_values(trial_id, state, values)
    assert sqlite_storage.losses == 1
    stored = sqlite_storage.get_trial(trial_id)
    assert (stored.state, stored.values) == (state, values)


def test_a_trial_is_told_once_when_nothing_was_lost(sqlite_storage: SweepStorage) -> None:
    _, trial_id = _running_trial(sqlite_storage)
    assert sqlite_storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [0.5])
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        sqlite_storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [0.5])


def test_writes_whose_answers_were_lost_are_stored_once(
    sqlite_storage: SweepStorage, lose_next_answer: _LOSE
) -> None:
    study_id, trial_id = _running_trial(sqlite_storage)
    writes: list[Callable[[], None]] = [
        lambda: sqlite_storage.set_trial_param(trial_id, "x", 0.5, FloatDistribution(0, 1)),
        lambda: sqlite_storage.set_trial_intermediate_value(trial_id, 3, 0.25),
        lambda: sqlite_storage.set_trial_user_attr(trial_id, "folder", "a"),
        lambda: sqlite_storage.set_trial_system_attr(trial_id, "beat", 1),
        lambda: sqlite_storage.set_study_user_attr(study_id, "definition", "{}"),
    ]
    for write in writes:
        lose_next_answer(sqlite_storage)
        write()
    assert sqlite_storage.losses == len(writes)
    trial = sqlite_storage.get_trial(trial_id)
    assert (trial.params, trial.intermediate_values) == ({"x": 0.5}, {3: 0.25})
    assert (trial.user_attrs, trial.system_attrs) == ({"folder": "a"}, {"beat": 1})
    assert sqlite_storage.get_study_user_attrs(study_id) == {"definition": "{}"}


def test_a_study_whose_answer_was_lost_is_made_and_removed_once(
    sqlite_storage: SweepStorage, lose_next_answer: _LOSE
) -> None:
    lose_next_answer(sqlite_storage)
    study_id = sqlite_storage.create_new_study([StudyDirection.MAXIMIZE], "one")
    assert sqlite_storage.get_study_name_from_id(study_id) == "one"
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        sqlite_storage.create_new_study([StudyDirection.MAXIMIZE], "one")
    lose_next_answer(sqlite_storage)
    sqlite_storage.delete_study(study_id)
    assert sqlite_storage.get_all_studies() == []
    with pytest.raises(KeyError):
        sqlite_storage.delete_study(study_id)


def test_a_trial_put_back_without_an_answer_is_put_back_once(
    sqlite_storage: SweepStorage, lose_next_answer: _LOSE
) -> None:
    _, trial_id = _running_trial(sqlite_storage)
    lose_next_answer(sqlite_storage)
    assert sqlite_storage.put_back(trial_id, 0, [("killed", True)])
    assert not sqlite_storage.put_back(trial_id, 0, [("killed", True)])
    trial = sqlite_storage.get_trial(trial_id)
    assert trial.state == TrialState.WAITING
    assert sorted(trial.system_attrs.values(), key=str) == [1, [["killed", True]]]


def test_mistakes_are_not_tried_again(postgres_storage: SweepStorage) -> None:
    with pytest.raises(optuna.exceptions.StorageInternalError):
        postgres_storage.create_new_study([StudyDirection.MAXIMIZE], "too long" * 100)
    with pytest.raises(KeyError):
        postgres_storage.get_trial(123)
    assert postgres_storage.losses == 0


def test_a_held_lock_keeps_out_threads_and_other_hosts(
    postgres_storage: SweepStorage, postgres_url: str
) -> None:
    other = open_storage(postgres_url, num_workers=1)
    inside: list[str] = []
    crowd: list[int] = []

    def enter(storage: SweepStorage, name: str) -> None:
        for _ in range(10):
            with storage.lock("one"):
                inside.append(name)
                time.sleep(0.001)
                crowd.append(len(inside))
                inside.remove(name)

    threads = [
        threading.Thread(target=enter, args=(storage, f"{number}"))
        for number, storage in enumerate([postgres_storage, postgres_storage, other, other])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert crowd == [1] * 40
    other.close()


def test_a_held_lock_lets_pass_those_of_other_studies_and_is_freed_by_an_error(
    postgres_storage: SweepStorage, postgres_url: str
) -> None:
    other = open_storage(postgres_url, num_workers=1)
    with postgres_storage.lock("one"), other.lock("two"):
        pass
    with pytest.raises(RuntimeError, match="inside"), postgres_storage.lock("one"):
        raise RuntimeError("inside")
    with other.lock("one"):
        pass
    other.close()


def test_a_file_damaged_in_the_middle_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    storage = open_storage(f"sqlite:///{path}", num_workers=1)
    study = optuna.create_study(storage=storage, study_name="one")
    study.set_user_attr("long", "x" * 2000)
    with closing(sqlite3.connect(path)) as connection:
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        find = "SELECT rootpage FROM sqlite_master WHERE name = 'study_user_attributes'"
        page = connection.execute(find).fetchone()[0]
    storage.close()
    with open(path, "r+b") as file:
        file.seek((page - 1) * page_bytes)
        file.write(b"\xff" * page_bytes)
    storage = open_storage(f"sqlite:///{path}", num_workers=1)
    with pytest.raises(ValueError, match=r"^storage: cannot read sqlite:.*malformed$"):
        storage.get_study_user_attrs(1)
    storage.close()
