"""Deleting a study, unless somebody may need it."""

from pathlib import Path

import optuna
from optuna.trial import TrialState

from rrnn_lit.search import attributes
from rrnn_lit.search.claims import requeue_all_running
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study import load_study


def delete_study(name: str, storage: SweepStorage) -> list[Path]:
    """Delete a study with its trials; return the folders of its runs, which stay.

    A host that waits for work ends by itself when its study is gone.

    Raises:
        ValueError: there is no such study, trials of it are running, or other studies go on with
            its trials.
    """
    study, _ = load_study(name, storage)
    if storage.engine.dialect.name == "sqlite":
        requeue_all_running(study, storage)  # whoever opens the file is alone: those are dead
    trials = study.get_trials(deepcopy=False)
    running = [str(trial.number) for trial in trials if trial.state is TrialState.RUNNING]
    if running:
        raise ValueError(
            f"study {name}: wanted no running trial, got {', '.join(running)}; stop the hosts, or"
            f" see with `rrnn sweep reap {name}` whether they are dead"
        )
    rungs = [
        other.study_name
        for other in optuna.get_all_study_summaries(storage)
        if other.user_attrs.get(attributes.RUNG_OF) == name
    ]
    if rungs:
        raise ValueError(
            f"study {name}: wanted one that no other goes on from, got {', '.join(sorted(rungs))}"
        )
    folders = {Path(trial.user_attrs.get(attributes.FOLDER, "")).parent for trial in trials}
    optuna.delete_study(study_name=name, storage=storage)
    return sorted(folders - {Path()})
