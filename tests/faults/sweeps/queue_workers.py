"""Eight processes that empty one queue.

Arguments: URL of the storage, name of the study, number of its trials, a folder, number of
processes. Each writes the numbers of the trials it was given into a file of the folder.
"""

import os
import sys
from pathlib import Path

import optuna
from optuna.trial import TrialState

from rrnn_lit.search.claims import claim_trial, finish_trial
from rrnn_lit.search.storage import open_storage


def work(url: str, name: str, trials: int, log: Path) -> None:
    storage = open_storage(url, num_workers=1)
    study = optuna.load_study(study_name=name, storage=storage)
    with log.open("a") as file:
        while claim := claim_trial(study, storage, trials):
            file.write(f"{claim.trial.number}\n")
            claim.trial.report(claim.trial.suggest_float("x", 0, 1000), 1)
            assert finish_trial(study, storage, claim, TrialState.COMPLETE, 1.0)
    storage.close()


def main(url: str, name: str, trials: str, folder: str, processes: str) -> int:
    children = []
    for number in range(int(processes)):
        child = os.fork()
        if child == 0:
            work(url, name, int(trials), Path(folder) / f"given-{number}")
            return 0
        children.append(child)
    return sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
