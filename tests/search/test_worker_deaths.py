import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import ENDS
from rrnn_lit.search.storage import SweepStorage

NUM_TRIALS = 40
PLANS = ["claimed", "working", "never", "never"] * 2


@pytest.mark.timeout(180)  # some seconds, but eight processes suffer on a busy machine
@pytest.mark.parametrize(
    "repeat", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in (1, 2, 3))]
)
def test_four_deaths_of_eight_workers_lose_no_trial_and_repeat_none(
    postgres_storage: SweepStorage, postgres_url: str, tmp_path: Path, repeat: int
) -> None:
    study = optuna.create_study(storage=postgres_storage, study_name=f"deaths-{repeat}")
    arguments = [study.study_name, str(NUM_TRIALS), "0.2", str(tmp_path), *PLANS]
    workers = subprocess.run(
        [sys.executable, "-m", "tests.search.death_worker", postgres_url, *arguments],
        stdout=subprocess.PIPE,
        check=True,
        timeout=150,
    )

    ends = [0 if plan == "never" else -signal.SIGKILL for plan in PLANS]
    assert [int(end) for end in workers.stdout.split()] == ends
    assert [trial.number for trial in study.trials] == list(range(NUM_TRIALS))
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * NUM_TRIALS
    finished = [line for log in tmp_path.iterdir() for line in log.read_text().split()]
    assert Counter(finished) == Counter(str(number) for number in range(NUM_TRIALS))
    put_back = [trial for trial in study.trials if trial.system_attrs.get(ENDS)]
    assert [trial.system_attrs[ENDS] for trial in put_back] == [[["killed", True]]] * 4
