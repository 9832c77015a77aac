import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest

from rrnn_lit.search.plots import write_plots
from rrnn_lit.search.study_file import Definition
from rrnn_lit.search.wandb_study import log_study, study_run_id
from tests.search.finished_studies import (
    BASE,
    METRIC,
    complete,
    define,
    fail,
    make_study,
    trials_of,
)

SECRET = "sehr-geheim-17"


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> optuna.Study:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RRNN_STORAGE", f"postgresql://me:{SECRET}@host/db")
    monkeypatch.setattr(sys, "argv", ["rrnn", f"postgresql://me:{SECRET}@host/db"])
    definition = define()
    study = make_study(definition)
    complete(study, definition, 10.0)
    complete(study, definition, 30.0, **{"train/loss": 0.25})
    fail(study, definition, "oom")
    return study


def read_records(folder: Path) -> list[dict[str, Any]]:
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    arguments = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(path)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_study_is_one_offline_run_with_table_best_value_and_pictures(
    study: optuna.Study, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    definition = define()
    pictures, _ = write_plots(study, definition, tmp_path / "plots", html=False)
    run_id = log_study(study, definition, tmp_path, pictures[:2])
    assert run_id == study_run_id(study)
    (run,) = (tmp_path / "wandb").glob("offline-run-*")
    assert run.name.endswith(f"-{run_id}")
    media = run / "files" / "media"
    assert len(list((media / "images" / "plots").glob("*.png"))) == 2
    (path,) = (media / "table").glob("*.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    assert table["columns"][:4] == ["number", "state", "reason", "value"]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["value"] for row in rows] == [10, 30, 1]
    assert [row["reason"] for row in rows] == [None, None, "oom"]
    assert rows[1]["train/loss"] == 0.25
    assert rows[1]["model.decay"] == 1 - trials_of(study)[1].params["1-model.decay"]
    text = json.dumps(read_records(tmp_path))
    for part in ('"best/value', "best/trial", "num_fail", METRIC, "demo", "log_uniform"):
        assert part.strip('"') in text
    for written in (tmp_path / "wandb").rglob("*"):
        assert not written.is_file() or SECRET.encode() not in written.read_bytes()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("enabled", "mode"), [(False, "offline"), (True, "disabled")])
def test_off_writes_nothing(
    study: optuna.Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    enabled: bool,
    mode: str,
) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    base = {**BASE, "wandb": {**BASE["wandb"], "enabled": enabled}}
    assert log_study(study, define(base_options=base), tmp_path / "study", []) is None
    assert not (tmp_path / "study").exists()


def test_an_override_of_the_study_turns_it_off(study: optuna.Study, tmp_path: Path) -> None:
    definition = define(overrides={"wandb.enabled": False})
    assert log_study(study, definition, tmp_path / "study", []) is None


def test_trouble_with_wandb_is_one_warning(
    study: optuna.Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture", encoding="utf-8")
    assert log_study(study, define(), tmp_path, [broken]) is None
    error = capsys.readouterr().err
    assert error.startswith("rrnn sweep: warning: no W&B run of the study: ")
    assert error.count("\n") == 1
    import wandb

    assert wandb.run is None


def test_the_id_tells_studies_of_one_name_apart(study: optuna.Study) -> None:
    definition: Definition = define()
    same, other = make_study(definition), make_study(definition)
    other.set_user_attr("rrnn:token", "ffffffff")
    assert study_run_id(same) == study_run_id(study) != study_run_id(other)
