import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.storage import SweepStorage
from tests.search.toy_studies import Sweep, write_study

NUM_TRIALS, NUM_WORKERS = 160, 8
pytestmark = [pytest.mark.promise(17), pytest.mark.timeout(120)]


def test_no_queued_trial_is_given_to_two_of_eight_processes(
    postgres_storage: SweepStorage, postgres_url: str, tmp_path: Path, got: Callable[[str], None]
) -> None:
    study = optuna.create_study(storage=postgres_storage, study_name="one")
    for x in range(NUM_TRIALS):
        study.enqueue_trial({"x": float(x)})
    command = [sys.executable, "-m", "tests.faults.sweeps.queue_workers", postgres_url, "one"]
    subprocess.run(
        [*command, str(NUM_TRIALS), str(tmp_path), str(NUM_WORKERS)], check=True, timeout=100
    )
    logs = [path.read_text().split() for path in tmp_path.glob("given-*")]
    given = Counter(number for log in logs for number in log)
    twice = sum(count > 1 for count in given.values())
    busy = sum(len(log) > 0 for log in logs)
    got(f"{twice} of {len(given)} twice, {busy} workers")
    assert given == Counter(str(number) for number in range(NUM_TRIALS))
    assert busy == NUM_WORKERS
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * NUM_TRIALS
    assert [trial.params["x"] for trial in study.trials] == [float(x) for x in range(NUM_TRIALS)]


def test_sqlite_with_two_workers_is_refused_by_name(
    sweep: Sweep,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    got: Callable[[str], None],
) -> None:
    code = sweep("run", write_study(tmp_path), "--workers", "2")
    got(f"SQLite with 2 workers: exit {code}")
    assert code == 64
    error = capsys.readouterr().err
    assert "wanted one worker with an SQLite file, got 2; SQLite has no row locks" in error
    assert not (tmp_path / "studies.db").exists()
