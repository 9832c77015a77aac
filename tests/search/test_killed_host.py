"""A whole host process is killed, and another host finishes the study."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search.attributes import ENDS
from rrnn_lit.search.requeue import requeue
from rrnn_lit.search.storage import SweepStorage, open_storage
from rrnn_lit.search.study import open_study
from rrnn_lit.search.study_file import Definition, StopSettings, to_json
from tests.search import toy_trial
from tests.search.sweeping import NAME, make_host, run_host, states, toy_definition

COMPLETE, RUNNING = TrialState.COMPLETE, TrialState.RUNNING
HOST = """
import os, sys
from pathlib import Path
from rrnn_lit.search.storage import open_storage
from rrnn_lit.search.study_file import from_json
from tests.search.sweeping import run_host

if __name__ == "__main__":
    workers = int(sys.argv[3])
    storage = open_storage(os.environ["RRNN_STORAGE"], workers)
    run_host(from_json(sys.argv[1]), storage, Path(sys.argv[2]), num_workers=workers)
"""


def run_and_kill(definition: Definition, url: str, out: Path, workers: int) -> None:
    """Run a host in a process of its own and kill it while its first trials run."""

    command = [sys.executable, "-c", HOST, to_json(definition), str(out), str(workers)]
    with subprocess.Popen(command, env={**os.environ, "RRNN_STORAGE": url}) as process:
        paths = [out / NAME / f"trial-{n:04d}" / "metrics.jsonl" for n in range(workers)]
        while not all(path.exists() and len(path.read_bytes()) > 500 for path in paths):
            assert process.poll() is None, "the host ended by itself"
            time.sleep(0.01)
        process.kill()


def lives(out: Path, number: int) -> list[tuple[int, int]]:
    path = out / NAME / f"trial-{number:04d}" / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(line["life"], line["step"]) for line in lines]


def check(trials: list[FrozenTrial], out: Path, killed: int) -> None:
    assert states(trials) == [COMPLETE] * len(trials)
    for trial in trials[:killed]:
        assert trial.system_attrs[ENDS] == [["killed", True]]
        before = [step for life, step in lives(out, trial.number) if life == 1]
        after = [step for life, step in lives(out, trial.number) if life == 2]
        repeated = set(before) & set(after)
        assert len(repeated) < toy_trial.SAVE_EVERY
        assert sorted({*before, *after}) == list(range(1, max(after) + 1))


def test_a_second_host_finishes_the_study_of_a_killed_one(tmp_path: Path) -> None:
    definition = toy_definition({"trial-0000": "busy_once"}, stopping=StopSettings(trials=2))
    url = f"sqlite:///{tmp_path}/sweep.db"
    run_and_kill(definition, url, tmp_path, workers=1)
    storage = open_storage(url, 1)
    try:
        assert states(open_study(definition, storage)[0].get_trials()) == [RUNNING]
        reason, trials = run_host(definition, storage, tmp_path)
    finally:
        storage.close()
    assert reason == "2 results"
    check(trials, tmp_path, killed=1)


def test_a_host_that_is_there_takes_the_trials_of_a_killed_one(
    postgres_url: str, tmp_path: Path
) -> None:
    modes = {"trial-0000": "busy_once", "trial-0001": "busy_once"}
    definition = toy_definition(modes, stopping=StopSettings(trials=3))
    run_and_kill(definition, postgres_url, tmp_path, workers=2)
    storage = open_storage(postgres_url, 2)
    try:
        changes: dict[str, Any] = {"num_workers": 2, "beat_s": 0.1, "grace_s": 3.0}
        reason, trials = run_host(definition, storage, tmp_path, **changes)
    finally:
        storage.close()
    assert reason == "3 results"
    check(trials, tmp_path, killed=2)


def test_a_trial_that_somebody_took_over_is_left_at_once(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition({"trial-0000": "busy_once"}, stopping=StopSettings(trials=1))
    host, study = make_host(definition, sqlite_storage, tmp_path, beat_s=0.05)
    taken: list[bool] = []

    def take_over() -> None:
        while not taken and not any(trial.step > 2 for trial in host.running()):
            time.sleep(0.01)
        if not taken:
            [trial] = study.get_trials()
            taken.append(requeue(study, sqlite_storage, trial._trial_id, 0, "killed", True))

    host.run(watch=take_over)
    [trial] = study.get_trials()
    assert taken == [True]
    assert trial.state is COMPLETE
    assert trial.system_attrs[ENDS] == [["killed", True]], "the loser told something"
    assert not (tmp_path / NAME / "trial-0000" / "stop_request").exists()
