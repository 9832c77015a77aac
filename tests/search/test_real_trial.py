"""A trial of `rrnn fit` itself; in a host of its own, whose fork server knows torch."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.search.attributes import FIGURES
from rrnn_lit.search.study_file import Definition, StopSettings, to_json
from rrnn_lit.training.metric_keys import SPLIT_FIGURES, TRAIN_FIGURES, split_key
from rrnn_lit.training.run_folder import METRICS_FILE, SUMMARY_FILE
from tests.search.sweeping import NAME, RATE, toy_definition
from tests.training.tiny import tiny_config

HOST = """
import json, sys
from pathlib import Path
from rrnn_lit.search.storage import open_storage
from rrnn_lit.search.study import open_study
from rrnn_lit.search.study_file import from_json
from rrnn_lit.search.trial_process import TrialJob, TrialServer
from rrnn_lit.search.worker import SweepHost
from tests.search.sweeping import toy_options

if __name__ == "__main__":
    definition, out = from_json(sys.argv[1]), Path(sys.argv[2])
    server = TrialServer()
    resolved = server.resolve(out / "tiny.yaml", {"model.hidden_size": 24})
    (out / "resolved.json").write_text(json.dumps(resolved))
    storage = open_storage(f"sqlite:///{out}/sweep.db", 1)
    study, definition = open_study(definition, storage)
    host = SweepHost(study, definition, storage, server, toy_options(out), wanted=1)
    assert host.run() == "1 results", study.get_trials()
    [trial] = study.get_trials()
    told = {"value": trial.value, "steps": trial.intermediate_values, "params": trial.params}
    (out / "told.json").write_text(json.dumps({**told, **trial.user_attrs}))
    probe = TrialServer("tests.search.toy_trial:probe")
    job = TrialJob(out / "probe", (str(out / "found.json"),), {}, threads=1)
    assert probe.start(job).wait() == 0
    try:
        server.resolve(out / "tiny.yaml", {"model.learning_rat": 1.0})
    except ValueError as error:
        (out / "complaint.json").write_text(json.dumps(str(error)))
    storage.close()
"""


@pytest.fixture(scope="module")
def done(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study with one real trial; tests only read it."""
    out = tmp_path_factory.mktemp("real")
    config = tiny_config(prepared_folder, out / "unused", {"trainer.max_steps": 100})
    (out / "tiny.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    definition: Definition = toy_definition(
        base_options=config,
        overrides={"model.hidden_size": 20},
        steps=8,
        stopping=StopSettings(trials=1),
    )
    command = [sys.executable, "-c", HOST, to_json(definition), str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert ended.returncode == 0, ended.stderr
    return out


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_real_run_is_a_trial(done: Path) -> None:
    told, folder = read(done / "told.json"), done / NAME / "trial-0000"
    assert (folder / SUMMARY_FILE).exists()
    assert sorted(map(int, told["steps"])) == [4, 8]
    assert told["value"] == told["steps"]["8"] == told[FIGURES]["tune/matched_words"]
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert config["model"]["learning_rate"] == told["params"][RATE]
    assert config["model"]["hidden_size"] == 20
    assert config["trainer"]["max_steps"] == 8
    assert config["wandb"]["tags"] == ["demo", "sweep"]


def test_a_run_logs_what_an_objective_may_be(done: Path) -> None:
    lines = (done / NAME / "trial-0000" / METRICS_FILE).read_text(encoding="utf-8").splitlines()
    logged = {key for line in lines for key in json.loads(line)} - {"step", "time", "life"}
    evaluated = {split_key(s, name) for s in ("tune", "test") for name in SPLIT_FIGURES}
    assert logged == evaluated | {*TRAIN_FIGURES}


def test_a_child_finds_torch_and_lightning_imported(done: Path) -> None:
    found = read(done / "found.json")
    assert {"torch", "lightning.pytorch", "rrnn_lit.training.lightning_cli"} <= {*found["modules"]}
    assert "optuna" not in found["modules"]
    assert found["threads"] == 1


def test_the_commands_own_parser_resolves_options(done: Path) -> None:
    resolved = read(done / "resolved.json")
    assert resolved["model"]["hidden_size"] == 24
    assert resolved["trainer"]["max_steps"] == 100
    complaint = read(done / "complaint.json")
    assert "learning_rat" in complaint
    assert "\n" not in complaint
