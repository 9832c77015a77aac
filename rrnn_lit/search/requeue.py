"""A trial whose attempt ended goes back to the queue: same number, parameters and folder.

RUNNING becomes WAITING, the attempt grows by one, and the next claim continues the trial. All of
it is compare-and-set on the attempt, so of several who notice one death a single one acts.
"""

from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search.attributes import ATTEMPT, DETAIL, ENDS, REASON
from rrnn_lit.search.retrying_storage import SweepStorage

KILLED = "killed"
MAX_RETRIES_AFTER_KILLED = 3


def attempt_of(attributes: dict[str, Any]) -> int:
    """Return the attempt from a trial's system attributes: 0 at the first start."""
    return int(attributes.get(ATTEMPT, 0))


def ends_of(attributes: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return (reason, counted) of the earlier attempts from a trial's system attributes."""
    return [(str(reason), bool(counted)) for reason, counted in attributes.get(ENDS, [])]


def requeue(
    study: optuna.Study,
    storage: SweepStorage,
    trial_id: int,
    attempt: int,
    reason: str,
    counted: bool,
) -> bool:
    """Put a trial back if it is still RUNNING with this attempt; return whether it was.

    Args:
        study: the trial's study.
        storage: the study's storage.
        trial_id: Optuna's id of the trial.
        attempt: the attempt that ended.
        reason: why, for the table of reasons.
        counted: whether it uses up one of the retries of this reason.
    """
    with storage.lock(study.study_name):
        ends = ends_of(storage.get_trial_system_attrs(trial_id))
        return storage.put_back(trial_id, attempt, [*ends, (reason, counted)])


def put_back_dead(study: optuna.Study, storage: SweepStorage, trial: FrozenTrial) -> bool:
    """Put back a RUNNING trial whose worker is gone, or fail it after too many deaths.

    Args:
        study: the trial's study.
        storage: the study's storage.
        trial: as last seen; nothing happens if its attempt has changed since.

    Returns:
        Whether this call did it, not another observer or the worker itself.
    """
    attempt, ends = attempt_of(trial.system_attrs), ends_of(trial.system_attrs)
    if ends.count((KILLED, True)) < MAX_RETRIES_AFTER_KILLED:
        return requeue(study, storage, trial._trial_id, attempt, KILLED, counted=True)
    with storage.lock(study.study_name):
        now = storage.get_trial(trial._trial_id)
        if now.state != TrialState.RUNNING or attempt_of(now.system_attrs) != attempt:
            return False
        try:
            storage.set_trial_user_attr(trial._trial_id, REASON, KILLED)
            detail = f"its worker died {MAX_RETRIES_AFTER_KILLED + 1} times"
            storage.set_trial_user_attr(trial._trial_id, DETAIL, detail)
            return storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:  # its worker is alive after all and told the result
            return False


def requeue_all_running(study: optuna.Study, storage: SweepStorage) -> list[int]:
    """Treat every RUNNING trial as dead; return the numbers.

    Only for a storage that belongs to this process and before it claims a trial: an SQLite file
    at the start.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [trial.number for trial in running if put_back_dead(study, storage, trial)]
