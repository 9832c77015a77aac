import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import ENDS
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study import load_study
from rrnn_lit.search.study_file import StopSettings, to_json
from tests.search.sweeping import NAME, RATE, lines_of, toy_definition

NUM_TRIALS, STEPS = 40, 8
PLANS = ["claimed", "working", "never", "never"] * 2


@pytest.mark.promise(16)
@pytest.mark.timeout(180)  # some seconds, but eight hosts suffer on a busy machine
def test_four_deaths_of_eight_hosts_lose_no_trial_and_repeat_none(
    postgres_storage: SweepStorage, postgres_url: str, tmp_path: Path, got: Callable[[str], None]
) -> None:
    definition = toy_definition(stopping=StopSettings(trials=NUM_TRIALS), steps=STEPS, seconds=0.1)
    hosts = subprocess.run(
        [
            *(sys.executable, "-m", "tests.faults.sweeps.dying_hosts"),
            *(postgres_url, to_json(definition), str(tmp_path), *PLANS),
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=150,
    )

    ends = [0 if plan == "never" else -signal.SIGKILL for plan in PLANS]
    assert [int(end) for end in hosts.stdout.split()] == ends
    trials = load_study(NAME, postgres_storage)[0].get_trials()
    told = [line for log in tmp_path.glob("told-*") for line in log.read_text().split()]
    running = sum(trial.state == TrialState.RUNNING for trial in trials)
    twice = sum(count > 1 for count in Counter(told).values())
    lost = NUM_TRIALS - len(set(told))
    got(f"{lost} of {NUM_TRIALS} lost, {running} RUNNING, {twice} twice; 4 of 8 hosts killed")
    assert [trial.number for trial in trials] == list(range(NUM_TRIALS))
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * NUM_TRIALS
    assert [trial.value for trial in trials] == [1000 * t.params[RATE] + STEPS for t in trials]
    assert Counter(told) == Counter(str(number) for number in range(NUM_TRIALS))
    # a host that was slow to start may die of a trial that was put back before
    ended = [end for trial in trials for end in trial.system_attrs.get(ENDS, [])]
    assert ended == [["killed", True]] * 4

    cut_short = []
    for trial in trials:
        lives = _lives(tmp_path / "runs", trial.number)
        *killed, last = [lives[life] for life in sorted(lives)]
        assert last[-1] == STEPS
        cut_short += [steps[-1] for steps in killed]
        assert len(killed) <= len(trial.system_attrs.get(ENDS, []))
    assert len(cut_short) == 2, "two hosts died while a child ran"
    assert max(cut_short) < STEPS, "a child outlived its host"


def _lives(out: Path, number: int) -> dict[int, list[int]]:
    """Return the steps that each child of a trial logged."""
    steps: dict[int, list[int]] = {}
    for line in lines_of(out, number):
        steps.setdefault(line["life"], []).append(line["step"])
    return steps
