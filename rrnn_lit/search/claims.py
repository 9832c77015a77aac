"""Who works on which trial: taking one, telling its result.

A worker claims a trial, beats while it works, and finishes it. All three look at the attempt of
the trial, which changes when somebody else takes it over.
"""

import os
import socket
import threading
from dataclasses import dataclass

import optuna
from optuna.trial import TrialState

from rrnn_lit.search.attributes import DETAIL, REASON, WORKER
from rrnn_lit.search.heartbeat import Heartbeat
from rrnn_lit.search.reaper import Reaper
from rrnn_lit.search.requeue import attempt_of, requeue, requeue_all_running
from rrnn_lit.search.retrying_storage import SweepStorage
from rrnn_lit.search.stop_rule import RESULT_STATES

__all__ = [
    "Claim",
    "Heartbeat",
    "Reaper",
    "claim_trial",
    "finish_trial",
    "requeue",
    "requeue_all_running",
]


@dataclass(frozen=True)
class Claim:
    """A trial that this worker has.

    Attributes:
        trial: RUNNING.
        attempt: 0 at the first start; grows when the trial is put back.
    """

    trial: optuna.Trial
    attempt: int


def claim_trial(
    study: optuna.Study,
    storage: SweepStorage,
    wanted: int,
    results: tuple[TrialState, ...] = RESULT_STATES,
    draws: bool = True,
) -> Claim | None:
    """Return a waiting trial, else a new one, or None while enough are done or under way.

    Args:
        study: ask nobody else for its trials.
        storage: the study's storage.
        wanted: results the study shall have; waiting trials beyond this number stay in the queue.
        results: states that count as one; trials that end in another are made up for.
        draws: whether there may be new trials; in a later rung there are waiting ones only.
    """
    if not _has_work(study, wanted, results, draws):
        return None  # without the lock: those who only wait must not hold up those who work
    with storage.lock(study.study_name):
        if not _has_work(study, wanted, results, draws):
            return None
        trial = study.ask()
        attempt = attempt_of(storage.get_trial_system_attrs(trial._trial_id))
        storage.set_trial_system_attr(trial._trial_id, WORKER, _worker_id())
        return Claim(trial, attempt)


def _has_work(
    study: optuna.Study, wanted: int, results: tuple[TrialState, ...], draws: bool
) -> bool:
    trials = study.get_trials(deepcopy=False)
    taken = (TrialState.RUNNING, *results)
    if sum(trial.state in taken for trial in trials) >= wanted:
        return False
    return draws or any(trial.state is TrialState.WAITING for trial in trials)


def finish_trial(
    study: optuna.Study,
    storage: SweepStorage,
    claim: Claim,
    state: TrialState,
    value: float | None = None,
    reason: str | None = None,
    detail: str | None = None,
) -> bool:
    """Tell the result if the trial is still this worker's; return whether it was.

    A worker that hung or was cut off may come back after its trial was given to another: its
    late result must not end the other's attempt.

    Args:
        study: the trial's study.
        storage: the study's storage.
        claim: the trial.
        state: COMPLETE with a value, PRUNED or FAIL without.
        value: the objective.
        reason: why it failed. That of a failure which was noted but never told is removed.
        detail: more about its end, likewise.
    """
    with storage.lock(study.study_name):
        trial_id = claim.trial._trial_id
        trial = storage.get_trial(trial_id)
        if trial.state != TrialState.RUNNING or attempt_of(trial.system_attrs) != claim.attempt:
            return False
        for key, text in ((REASON, reason), (DETAIL, detail)):
            if trial.user_attrs.get(key) != text:
                storage.set_trial_user_attr(trial_id, key, text)
        study.tell(claim.trial, value, state)
        return True


def _worker_id() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.current_thread().name}"
