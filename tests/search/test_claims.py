import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from rrnn_lit.search.attributes import DETAIL, REASON, SILENCE, SPENT
from rrnn_lit.search.claims import (
    Claim,
    Heartbeat,
    claim_trial,
    finish_trial,
    requeue,
    requeue_all_running,
)
from rrnn_lit.search.storage import SweepStorage, open_storage

COMPLETE = TrialState.COMPLETE


def _study(storage: SweepStorage) -> optuna.Study:
    return optuna.create_study(
        storage=storage, study_name="one", direction="maximize", load_if_exists=True
    )


def _id_of(storage: SweepStorage, claim: Claim) -> int:
    study_id = storage.get_study_id_from_name("one")
    return storage.get_trial_id_from_study_id_trial_number(study_id, claim.trial.number)


@contextmanager
def _claimed(storage: SweepStorage, wanted: int = 1) -> Iterator[tuple[optuna.Study, Claim]]:
    study = _study(storage)
    claim = claim_trial(study, storage, wanted)
    assert claim is not None
    yield study, claim


def test_as_many_trials_as_wanted_are_claimed(sqlite_storage: SweepStorage) -> None:
    study = _study(sqlite_storage)
    claims = [claim_trial(study, sqlite_storage, 3) for _ in range(5)]
    assert [claim and claim.trial.number for claim in claims] == [0, 1, 2, None, None]


@pytest.mark.parametrize(
    ("state", "value", "claimed"),
    [(COMPLETE, 0.5, False), (TrialState.PRUNED, None, False), (TrialState.FAIL, None, True)],
)
def test_only_a_trial_without_a_result_is_made_up_for(
    sqlite_storage: SweepStorage, state: TrialState, value: float | None, claimed: bool
) -> None:
    with _claimed(sqlite_storage) as (study, claim):
        assert finish_trial(study, sqlite_storage, claim, state, value)
        assert (claim_trial(study, sqlite_storage, 1) is not None) == claimed


def test_waiting_trials_come_first_and_those_beyond_the_wanted_results_stay(
    sqlite_storage: SweepStorage,
) -> None:
    study = _study(sqlite_storage)
    for x in (0.1, 0.2, 0.3):
        study.enqueue_trial({"x": x})
    seen = []
    while claim := claim_trial(study, sqlite_storage, 2):
        seen.append(claim.trial.suggest_float("x", 0, 1))
        finish_trial(study, sqlite_storage, claim, COMPLETE, 1.0)
    assert seen == [0.1, 0.2]
    assert study.trials[2].state == TrialState.WAITING


def test_a_trial_that_was_put_back_goes_on_with_number_and_parameters(
    sqlite_storage: SweepStorage,
) -> None:
    study = optuna.create_study(
        storage=sqlite_storage, study_name="one", sampler=RandomSampler(seed=1)
    )
    first = claim_trial(study, sqlite_storage, 2)
    other = claim_trial(study, sqlite_storage, 2)
    assert first is not None
    assert other is not None
    drawn = first.trial.suggest_float("x", 0, 1)
    trial_id = _id_of(sqlite_storage, first)
    assert requeue(study, sqlite_storage, trial_id, 0, "preempted", counted=False)
    again = claim_trial(study, sqlite_storage, 2)
    assert again is not None
    assert (first.trial.number, again.trial.number, other.trial.number) == (0, 0, 1)
    assert (first.attempt, again.attempt, other.attempt) == (0, 1, 0)
    assert again.trial.suggest_float("x", 0, 1) == drawn
    assert len(study.trials) == 2


def test_only_the_attempt_that_ended_is_put_back(sqlite_storage: SweepStorage) -> None:
    with _claimed(sqlite_storage) as (study, claim):
        trial_id = _id_of(sqlite_storage, claim)
        assert not requeue(study, sqlite_storage, trial_id, 1, "error", counted=True)
        assert requeue(study, sqlite_storage, trial_id, 0, "error", counted=True)
        assert not requeue(study, sqlite_storage, trial_id, 0, "error", counted=True)
        assert not requeue(study, sqlite_storage, trial_id, 1, "error", counted=True)  # WAITING
        again = claim_trial(study, sqlite_storage, 1)
        assert again is not None
        assert requeue(study, sqlite_storage, trial_id, 1, "interrupted", counted=False)
        stored = sqlite_storage.get_trial_system_attrs(trial_id)
        assert [["error", True], ["interrupted", False]] in stored.values()


def test_a_finished_trial_is_not_put_back(sqlite_storage: SweepStorage) -> None:
    with _claimed(sqlite_storage) as (study, claim):
        assert finish_trial(study, sqlite_storage, claim, COMPLETE, 1.0)
        trial_id = _id_of(sqlite_storage, claim)
        assert not requeue(study, sqlite_storage, trial_id, 0, "killed", counted=True)
        assert study.trials[0].state == COMPLETE


def test_a_worker_that_was_taken_over_cannot_tell_a_result(sqlite_storage: SweepStorage) -> None:
    with _claimed(sqlite_storage) as (study, claim):
        requeue(study, sqlite_storage, _id_of(sqlite_storage, claim), 0, "killed", counted=True)
        assert not finish_trial(study, sqlite_storage, claim, COMPLETE, 1.0)
        again = claim_trial(study, sqlite_storage, 1)
        assert again is not None
        assert not finish_trial(study, sqlite_storage, claim, COMPLETE, 1.0)
        assert finish_trial(study, sqlite_storage, again, COMPLETE, 2.0)
        assert study.trials[0].value == 2.0


def test_whoever_has_nothing_to_do_does_not_wait_for_the_lock(
    sqlite_storage: SweepStorage,
) -> None:
    with _claimed(sqlite_storage) as (study, _), sqlite_storage.lock("one"):
        found: list[Claim | None] = []
        idle = threading.Thread(
            target=lambda: found.append(claim_trial(study, sqlite_storage, 1)), daemon=True
        )
        idle.start()
        idle.join(5)
        assert found == [None]


@pytest.mark.parametrize(("state", "value"), [(COMPLETE, 1.0), (TrialState.PRUNED, None)])
def test_a_failure_that_was_noted_but_not_told_is_not_the_results(
    sqlite_storage: SweepStorage, state: TrialState, value: float | None
) -> None:
    with _claimed(sqlite_storage) as (study, claim):
        claim.trial.set_user_attr(REASON, "killed")
        claim.trial.set_user_attr(DETAIL, "its worker died")
        assert finish_trial(study, sqlite_storage, claim, state, value)
        assert study.trials[0].user_attrs == {REASON: None, DETAIL: None}


def test_a_failure_is_told_with_reason_and_detail(sqlite_storage: SweepStorage) -> None:
    with _claimed(sqlite_storage) as (study, claim):
        assert finish_trial(
            study, sqlite_storage, claim, TrialState.FAIL, reason="oom", detail="exit code 71"
        )
        assert study.trials[0].user_attrs == {REASON: "oom", DETAIL: "exit code 71"}


def test_beats_keep_the_time_spent_and_the_silence_others_must_bear(
    sqlite_storage: SweepStorage,
) -> None:
    with (
        _claimed(sqlite_storage) as (study, claim),
        Heartbeat(sqlite_storage, claim, interval_s=0.01, grace_s=7.0, spent_s=5.0),
    ):
        first = study.trials[0].system_attrs
        assert first[SPENT] >= 5.0, "the first beat is over before the work begins"
        assert first[SILENCE] == 7.0
        time.sleep(0.2)
        assert study.trials[0].system_attrs[SPENT] > first[SPENT]


def test_nothing_is_begun_for_a_trial_that_somebody_has(sqlite_storage: SweepStorage) -> None:
    with _claimed(sqlite_storage) as (study, claim):
        requeue(study, sqlite_storage, _id_of(sqlite_storage, claim), 0, "killed", counted=True)
        with Heartbeat(sqlite_storage, claim, interval_s=60.0) as heartbeat:
            assert heartbeat.lost.is_set()


def test_a_worker_notices_that_it_was_taken_over(sqlite_storage: SweepStorage) -> None:
    with (
        _claimed(sqlite_storage) as (study, claim),
        Heartbeat(sqlite_storage, claim, interval_s=0.01) as heartbeat,
    ):
        assert not heartbeat.lost.wait(0.1)
        requeue(study, sqlite_storage, _id_of(sqlite_storage, claim), 0, "hung", counted=True)
        assert heartbeat.lost.wait(10)


def test_a_worker_notices_that_its_trial_was_ended(sqlite_storage: SweepStorage) -> None:
    with (
        _claimed(sqlite_storage) as (study, claim),
        Heartbeat(sqlite_storage, claim, interval_s=0.01) as heartbeat,
    ):
        study.tell(claim.trial, state=TrialState.FAIL)
        assert heartbeat.lost.wait(10)


def test_beats_end_with_the_work(sqlite_storage: SweepStorage) -> None:
    with _claimed(sqlite_storage) as (_, claim):
        with Heartbeat(sqlite_storage, claim, interval_s=0.01) as heartbeat:
            pass
        before = sqlite_storage.get_trial_system_attrs(_id_of(sqlite_storage, claim))
        assert not heartbeat.lost.wait(0.1)
        after = sqlite_storage.get_trial_system_attrs(_id_of(sqlite_storage, claim))
        assert after == before


def test_after_a_crash_of_the_only_process_its_trials_wait(sqlite_storage: SweepStorage) -> None:
    study = _study(sqlite_storage)
    claims = [claim_trial(study, sqlite_storage, 3) for _ in range(3)]
    assert claims[1] is not None
    finish_trial(study, sqlite_storage, claims[1], COMPLETE, 1.0)
    assert requeue_all_running(study, sqlite_storage) == [0, 2]
    assert requeue_all_running(study, sqlite_storage) == []
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.WAITING, COMPLETE, TrialState.WAITING]


def _in_threads(work: Callable[[SweepStorage], None], storages: list[SweepStorage]) -> None:
    threads = [threading.Thread(target=work, args=(storage,)) for storage in storages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_hosts_reach_the_wanted_number_and_share_no_trial(
    postgres_storage: SweepStorage, postgres_url: str
) -> None:
    other = open_storage(postgres_url, num_workers=4)
    study = _study(postgres_storage)
    for x in range(10):
        study.enqueue_trial({"x": float(x)})
    done: list[int] = []

    def work(storage: SweepStorage) -> None:
        mine = optuna.load_study(study_name="one", storage=storage)
        while claim := claim_trial(mine, storage, 30):
            claim.trial.suggest_float("x", 0, 100)
            if claim.trial.number % 7 == 3 and claim.attempt == 0:
                trial_id = _id_of(storage, claim)
                requeue(mine, storage, trial_id, 0, "preempted", counted=False)
            elif finish_trial(mine, storage, claim, COMPLETE, 1.0):
                done.append(claim.trial.number)

    _in_threads(work, [postgres_storage] * 4 + [other] * 4)
    # the last one may have been put back after the others found nothing to do
    work(other)
    assert Counter(done) == Counter(range(30))
    assert [trial.state for trial in study.trials] == [COMPLETE] * 30
    assert [trial.params["x"] for trial in study.trials[:10]] == [float(x) for x in range(10)]
    other.close()


def test_a_trial_is_put_back_by_one_of_many(
    postgres_storage: SweepStorage, postgres_url: str
) -> None:
    other = open_storage(postgres_url, num_workers=4)
    with _claimed(postgres_storage) as (study, claim):
        trial_id = _id_of(postgres_storage, claim)
        won: list[bool] = []

        def work(storage: SweepStorage) -> None:
            won.append(storage.put_back(trial_id, 0, [("killed", True)]))

        _in_threads(work, [postgres_storage] * 3 + [other] * 3)
        assert sorted(won) == [False] * 5 + [True]
        assert study.trials[0].state == TrialState.WAITING
    other.close()
