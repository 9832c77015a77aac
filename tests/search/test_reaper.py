from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import ATTEMPT, BEAT, DETAIL, ENDS, REASON, SILENCE
from rrnn_lit.search.claims import Reaper, claim_trial, finish_trial
from rrnn_lit.search.storage import SweepStorage

GRACE_S = 60.0
RUNNING, WAITING = TrialState.RUNNING, TrialState.WAITING


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class _Observed:
    """A study with one claimed trial and observers of their own."""

    def __init__(self, storage: SweepStorage) -> None:
        self.storage = storage
        self.clock = _Clock()
        self.study = optuna.create_study(storage=storage, study_name="one")
        claim = claim_trial(self.study, storage, 1)
        assert claim is not None
        self.claim = claim
        study_id = storage.get_study_id_from_name("one")
        self.trial_id = storage.get_trial_id_from_study_id_trial_number(study_id, 0)

    def reaper(self) -> Reaper:
        return Reaper(GRACE_S, self.clock)

    def look(self, reaper: Reaper, times: int, every_s: float = 10.0) -> list[int]:
        """Return what was put back in so many looks."""
        found = []
        for _ in range(times):
            found += reaper.reap(self.study, self.storage)
            self.clock.now += every_s
        return found

    def beat(self, value: int) -> None:
        self.storage.set_trial_system_attr(self.trial_id, BEAT, value)

    @property
    def trial(self) -> optuna.trial.FrozenTrial:
        return self.storage.get_trial(self.trial_id)


@pytest.fixture
def observed(sqlite_storage: SweepStorage) -> _Observed:
    return _Observed(sqlite_storage)


def test_a_trial_that_never_beat_is_put_back_after_the_grace_time(observed: _Observed) -> None:
    reaper = observed.reaper()
    assert observed.look(reaper, times=6) == []
    assert observed.trial.state == RUNNING
    assert observed.look(reaper, times=1) == [0]
    assert observed.trial.state == WAITING
    assert observed.trial.system_attrs[ATTEMPT] == 1
    assert observed.trial.system_attrs[ENDS] == [["killed", True]]
    assert observed.look(reaper, times=20) == []


def test_a_trial_that_beats_is_left_alone(observed: _Observed) -> None:
    reaper = observed.reaper()
    for beat in range(10):
        observed.beat(beat)
        assert observed.look(reaper, times=6) == []
    assert observed.look(reaper, times=1) == [0]


def test_an_impatient_observer_leaves_a_worker_the_silence_it_said(observed: _Observed) -> None:
    observed.storage.set_trial_system_attr(observed.trial_id, SILENCE, 40.0)
    impatient = Reaper(5.0, observed.clock)
    for beat in range(10):
        observed.beat(beat)
        assert observed.look(impatient, times=3) == []
    assert impatient.longest_s == 40.0
    assert observed.look(impatient, times=60, every_s=1.0) == [0]


def test_the_next_attempt_has_the_whole_grace_time(observed: _Observed) -> None:
    reaper = observed.reaper()
    observed.beat(5)
    assert observed.look(reaper, times=7) == [0]
    # claimed at once by a worker that has not beaten yet: the old beat is still stored
    assert claim_trial(observed.study, observed.storage, 1) is not None
    assert observed.look(reaper, times=6) == []
    assert observed.look(reaper, times=1) == [0]


def test_time_in_which_nobody_looked_is_no_evidence(observed: _Observed) -> None:
    reaper = observed.reaper()
    assert observed.look(reaper, times=3, every_s=100_000.0) == []
    assert observed.look(reaper, times=1) == [0]


def test_an_outage_that_the_observer_saw_starts_the_grace_time_anew(
    observed: _Observed, lose_next_answer: Callable[[SweepStorage], None]
) -> None:
    reaper = observed.reaper()
    assert observed.look(reaper, times=6) == []
    lose_next_answer(observed.storage)
    observed.storage.set_study_user_attr(
        observed.storage.get_study_id_from_name("one"), "any", "write"
    )
    assert observed.storage.losses == 1
    assert observed.look(reaper, times=6) == []
    assert observed.look(reaper, times=1) == [0]


def test_of_two_observers_one_puts_back_and_the_attempt_counts_once(observed: _Observed) -> None:
    first, second = observed.reaper(), observed.reaper()
    for _ in range(6):
        assert observed.look(first, 1, every_s=0.0) + observed.look(second, 1) == []
    assert observed.look(first, 1, every_s=0.0) + observed.look(second, 1) == [0]
    assert observed.trial.system_attrs[ENDS] == [["killed", True]]
    assert observed.trial.system_attrs[ATTEMPT] == 1


def test_the_fourth_death_fails_the_trial(observed: _Observed) -> None:
    reaper = observed.reaper()
    for attempt in (1, 2, 3):
        assert observed.look(reaper, times=7) == [0]
        assert observed.trial.state == WAITING
        claim = claim_trial(observed.study, observed.storage, 1)
        assert claim is not None
        assert claim.attempt == attempt
    assert observed.look(reaper, times=7) == [0]
    assert observed.trial.state == TrialState.FAIL
    assert observed.trial.user_attrs[REASON] == "killed"
    assert observed.trial.user_attrs[DETAIL] == "its worker died 4 times"
    assert observed.look(reaper, times=20) == []


def test_ends_that_were_nobodys_fault_do_not_fail_a_trial(observed: _Observed) -> None:
    ends = [("preempted", False), ("error", True), ("killed", False)] * 3
    for attempt in range(9):
        assert observed.storage.put_back(observed.trial_id, attempt, ends[: attempt + 1])
        assert claim_trial(observed.study, observed.storage, 1) is not None
    assert observed.look(observed.reaper(), times=7) == [0]
    assert observed.trial.state == WAITING


def test_a_result_told_meanwhile_stands(observed: _Observed) -> None:
    reaper = observed.reaper()
    assert observed.look(reaper, times=6) == []
    assert finish_trial(observed.study, observed.storage, observed.claim, TrialState.COMPLETE, 1.0)
    assert observed.look(reaper, times=6) == []
    assert observed.trial.state == TrialState.COMPLETE


def test_a_trial_created_twice_by_a_lost_answer_is_worked_on_in_the_end(
    sqlite_storage: SweepStorage, lose_next_answer: Callable[[SweepStorage], None]
) -> None:
    study = optuna.create_study(storage=sqlite_storage, study_name="one")
    clock = _Clock()
    reaper = Reaper(GRACE_S, clock)
    study_id = sqlite_storage.get_study_id_from_name("one")
    lose_next_answer(sqlite_storage)
    sqlite_storage.create_new_trial(study_id)
    assert [trial.state for trial in study.trials] == [RUNNING, RUNNING]
    study.tell(1, 1.0)  # the caller knows of the second one only
    for _ in range(7):
        reaper.reap(study, sqlite_storage)
        clock.now += 10
    orphan = claim_trial(study, sqlite_storage, 2)
    assert orphan is not None
    assert (orphan.trial.number, orphan.attempt) == (0, 1)
