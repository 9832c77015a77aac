"""Trials of `rrnn fit` itself that fail in six ways, and one that is killed and goes on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.search.study_file import LimitSettings, StopSettings, to_json
from tests.faults.sweeps.failing_fit import FAULT_STEP, KILLED_ONCE, REASONS, SAVE_EVERY
from tests.search.sweeping import NAME, toy_definition
from tests.training.tiny import tiny_config

STEPS, NUM_GOOD = 8, 3
LIMIT_S = 30.0  # about what the other trials need together, one after the other
HOST = """
import json, os, sys
from pathlib import Path
from rrnn_lit.search.attributes import ENDS
from rrnn_lit.search.storage import open_storage
from rrnn_lit.search.study import open_study
from rrnn_lit.search.study_file import from_json
from rrnn_lit.search.trial_process import TrialServer
from rrnn_lit.search.worker import SweepHost
from tests.search.sweeping import toy_options

if __name__ == "__main__":
    definition, out = from_json(sys.argv[1]), Path(sys.argv[2])
    server = TrialServer("tests.faults.sweeps.failing_fit:main")
    storage = open_storage(os.environ["RRNN_STORAGE"], 2)
    study, definition = open_study(definition, storage)
    options = toy_options(out, num_workers=2, grace_s=30.0)
    host = SweepHost(study, definition, storage, server, options, definition.stopping.trials)
    reason = host.run()
    told = [
        {**t.user_attrs, "state": t.state.name, "number": t.number,
         "ends": t.system_attrs.get(ENDS)}
        for t in study.get_trials()
    ]
    (out / "told.json").write_text(json.dumps({"reason": reason, "trials": told}))
    storage.close()
"""
pytestmark = pytest.mark.timeout(180)
Got = Callable[[str], None]


@pytest.fixture(scope="module")
def done(
    prepared_folder: Path,
    _shared_postgres_url: str,
    postgres_server: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of a study with nine trials; tests only read it."""
    out = tmp_path_factory.mktemp("bad")
    postgres_server.empty(_shared_postgres_url)
    options = {"checkpoint.every_n_steps": SAVE_EVERY, "trainer.log_every_n_steps": 1}
    config = tiny_config(prepared_folder, out / "unused", {**options, "wandb.enabled": True})
    definition = toy_definition(
        base_options=config,
        overrides={},
        steps=STEPS,
        stopping=StopSettings(trials=NUM_GOOD),
        limits=LimitSettings(seconds=LIMIT_S),
    )
    environment = {**os.environ, "RRNN_STORAGE": _shared_postgres_url, "WANDB_MODE": "offline"}
    ended = subprocess.run(
        [sys.executable, "-c", HOST, to_json(definition), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert ended.returncode == 0, ended.stderr
    return out


def trials_of(out: Path) -> list[dict[str, Any]]:
    told = json.loads((out / "told.json").read_text(encoding="utf-8"))
    assert told["reason"] == f"{NUM_GOOD} results"
    return list(told["trials"])


@pytest.mark.promise(19)
def test_six_bad_trials_fail_for_their_reasons_and_the_rest_is_complete(
    done: Path, got: Got
) -> None:
    trials = trials_of(done)
    reasons = {t["number"]: t["reason"] for t in trials if t["state"] == "FAIL"}
    right = sum(reasons.get(number) == reason for number, reason in REASONS.items())
    rest = [t["state"] for t in trials if t["number"] not in REASONS]
    got(f"{right} of {len(REASONS)} reasons right, {rest.count('COMPLETE')} of {len(rest)} rest")
    assert reasons == REASONS
    assert rest == ["COMPLETE"] * NUM_GOOD
    assert [end for end, _ in trials[3]["ends"]] == ["killed"] * 3, "it had three more chances"


@pytest.mark.promise(20)
def test_a_killed_trial_goes_on_in_its_folder_under_its_number_and_id(
    done: Path, got: Got
) -> None:
    [trial] = [t for t in trials_of(done) if t["ends"] and t["state"] == "COMPLETE"]
    folder = Path(trial["folder"])
    assert (trial["number"], folder) == (7, done / NAME / KILLED_ONCE)
    assert trial["ends"] == [["killed", True]]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    lives = {1: set[int](), 2: set[int]()}
    for line in lines:
        lives[line["life"]].add(line["step"])
    repeated = lives[1] & lives[2]
    ids = {path.name.rpartition("-")[2] for path in (folder / "wandb").glob("offline-run-*")}
    got(f"{len(repeated)} steps repeated of at most {SAVE_EVERY}, {len(ids)} W&B id")
    assert max(lives[1]) == FAULT_STEP
    assert len(repeated) <= SAVE_EVERY
    assert lives[1] | lives[2] == set(range(1, STEPS + 1))
    assert ids == {(folder / "wandb_run_id").read_text()}
    assert len(list((folder / "wandb").glob("offline-run-*"))) == 2
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert config["run"]["folder"] == str(folder)
