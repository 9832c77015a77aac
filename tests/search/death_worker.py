"""The worker processes of `test_worker_deaths.py`: they claim toy trials until enough are done.

Arguments: URL of the storage, study, results wanted, seconds a trial takes, folder for the numbers
that each worker computed to the end, and for each worker where it is killed: `claimed` (before the
first beat), `working` or `never`. Prints how each of them ended.
"""

import os
import signal
import sys
import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from rrnn_lit.search.claims import Claim, Heartbeat, Reaper, claim_trial, finish_trial
from rrnn_lit.search.storage import SweepStorage, open_storage

BEAT_S, GRACE_S = 0.5, 6.0  # deaths come early: others still work when they are noticed
RESULTS = (TrialState.COMPLETE, TrialState.PRUNED)


def _die_here(point: str, planned: str) -> None:
    if point == planned:
        os.kill(os.getpid(), signal.SIGKILL)


def _objective(trial: optuna.Trial, seconds: float, planned: str) -> float:
    x = trial.suggest_float("x", 0.0, 1.0)
    time.sleep(seconds / 2)
    _die_here("working", planned)
    time.sleep(seconds / 2)
    return x


def _run(
    study: optuna.Study, storage: SweepStorage, claim: Claim, seconds: float, planned: str
) -> int | None:
    _die_here("claimed", planned)
    with Heartbeat(storage, claim, BEAT_S) as heartbeat:
        value = _objective(claim.trial, seconds, planned)
    if heartbeat.lost.is_set():
        return None
    finish_trial(study, storage, claim, TrialState.COMPLETE, value)
    return claim.trial.number


def work(url: str, name: str, wanted: int, seconds: float, log: Path, planned: str) -> None:
    """Work until the study has its results, also those of workers that died."""
    storage = open_storage(url, num_workers=1)
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name=name, storage=storage, sampler=sampler)
    reaper = Reaper(GRACE_S)
    while len(study.get_trials(deepcopy=False, states=RESULTS)) < wanted:
        reaper.reap(study, storage)
        claim = claim_trial(study, storage, wanted)
        if claim is None:
            time.sleep(BEAT_S)
            continue
        number = _run(study, storage, claim, seconds, planned)
        with log.open("a") as file:
            file.write(f"{number}\n")
    storage.close()


def main(url: str, name: str, wanted: str, seconds: str, folder: str, *plans: str) -> None:
    """Fork the workers from this process, which has done the imports for all of them."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    children = []
    for number, planned in enumerate(plans):
        child = os.fork()
        if child == 0:
            log = Path(folder) / f"finished-{number}"
            work(url, name, int(wanted), float(seconds), log, planned)
            return
        children.append(child)
    print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


if __name__ == "__main__":
    main(*sys.argv[1:])
