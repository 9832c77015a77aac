import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from rrnn_lit import cli as command
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.wandb_logging import WandbSettings, finish, make_wandb_logger
from rrnn_lit.training.wandb_mirror import WandbMirror
from tests.training.conftest import WriteConfig
from tests.training.test_checkpoints import limit_file_size
from tests.training.tiny import in_child

SECRET = "0123456789abcdef" * 3


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without a login."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    return tmp_path


@pytest.mark.parametrize(("enabled", "mode"), [(False, "offline"), (True, "disabled")])
def test_off_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enabled: bool, mode: str
) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    settings = WandbSettings(enabled, "project", None, None, [])
    assert make_wandb_logger(settings, tmp_path / "run") is None
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("left", ["", "\n"])
def test_an_empty_id_is_none(home: Path, monkeypatch: pytest.MonkeyPatch, left: str) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = home / "run"
    run.mkdir()
    (run / "wandb_run_id").write_text(left, encoding="utf-8")
    versions = [logger.version for logger in (open_wandb(run), open_wandb(run))]
    assert versions == [(run / "wandb_run_id").read_text(encoding="utf-8")] * 2
    assert len(versions[0]) == 12


def test_an_id_is_there_whole_or_not_at_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")

    def start_on_full_disk() -> int:
        limit_file_size(5)
        try:
            open_wandb(home / "run")
        except OSError:
            return 3
        return 0

    assert in_child(start_on_full_disk) == 3
    assert list((home / "run").iterdir()) == []


def open_wandb(run: Path) -> WandbMirror:
    """Return the logger of a run whose process in W&B is never started."""
    logger = make_wandb_logger(WandbSettings(True, "project", None, None, []), run)
    assert logger is not None
    finish(0)
    return logger


def read_records(run: Path) -> list[dict[str, Any]]:
    (path,) = run.glob("*.wandb")
    arguments = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(path)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_offline_runs_of_a_crash_and_its_resume(
    write_config: WriteConfig,
    run_folder: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    config = str(write_config({"wandb.enabled": True, "wandb.group": "study"}))
    original = AutoencoderModule.training_step

    def crash(self: AutoencoderModule, *arguments: Any) -> Tensor:
        if self.global_step == 7:
            raise ValueError("no more")
        return original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(AutoencoderModule, "training_step", crash)
        assert command.main(["fit", "--config", config]) == command.EXIT_BAD_INPUT
    assert command.main(["fit", "--config", config, "--run.if_exists", "resume"]) == 0

    folders = sorted((run_folder / "wandb").glob("offline-run-*"))
    assert len(folders) == 2
    for folder, steps, code in zip(
        folders, ([3, 4, 6], [3, 4, 6, 8, 9, 10]), (65, 0), strict=True
    ):
        records = read_records(folder)
        kinds = [record["type"] for record in records]
        exits = [record["exit"] for record in records if record["type"] == "exit"]
        assert [record.get("exit_code", 0) for record in exits] == [code]
        run = next(record["run"] for record in records if record["type"] == "run")
        assert run["run_id"] == (run_folder / "wandb_run_id").read_text()
        assert (run["display_name"], run["run_group"]) == ("demo", "study")
        # the whole config is there before the first figure
        first = records[: kinds.index("history")]
        updates = [record["config"]["update"] for record in first if record["type"] == "config"]
        assert {"trainer", "model", "data", "stopping", "run"} <= set(updates[-1])
        assert updates[-1]["data"]["batch_size"] == 8
        figures = [record["history"]["item"] for record in records if record["type"] == "history"]
        logged = [f["trainer/global_step"] for f in figures if len(f) > 8]
        assert sorted(set(logged)) == steps
        tables = [f["trainer/global_step"] for f in figures if "tune/reconstructions._type" in f]
        assert sorted(tables) == [step for step in steps if step in (4, 8, 10)]
    written = [path for path in run_folder.rglob("*") if path.is_file()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize(("word", "code"), [("pruned", 0), ("timeout", command.EXIT_STOPPED)])
def test_a_run_that_a_sweep_stops_is_closed_and_says_why(
    write_config: WriteConfig,
    run_folder: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    word: str,
    code: int,
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    run_folder.mkdir(parents=True)
    (run_folder / "stop_request").write_text(word, encoding="utf-8")
    original = AutoencoderModule.training_step

    def stopped(self: AutoencoderModule, *arguments: Any) -> Tensor:
        if self.global_step == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, *arguments)

    options = {"wandb.enabled": True, "wandb.group": "study", "wandb.job_type": "trial"}
    monkeypatch.setattr(AutoencoderModule, "training_step", stopped)
    arguments = ["fit", "--config", str(write_config(options))]
    assert command.main(arguments) == command.EXIT_STOPPED

    (folder,) = (run_folder / "wandb").glob("offline-run-*")
    records = read_records(folder)
    (end,) = (record["exit"] for record in records if record["type"] == "exit")
    assert end.get("exit_code", 0) == code
    runs = [record["run"] for record in records if record["type"] == "run"]
    assert runs[0]["job_type"] == "trial"
    assert runs[-1]["tags"] == ["demo", word]


def test_a_run_whose_folder_was_taken_does_not_end_the_owners_run_in_wandb(
    write_config: WriteConfig, run_folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    honest, closed = AutoencoderModule.training_step, []

    def lose(self: AutoencoderModule, *arguments: Any) -> Tensor:
        if self.global_step == 4:
            (run_folder / "owner.json").unlink()
        return honest(self, *arguments)

    monkeypatch.setattr(AutoencoderModule, "training_step", lose)
    monkeypatch.setattr(WandbMirror, "close", lambda *given: closed.append(given))
    config = str(write_config({"wandb.enabled": True}))
    assert command.main(["fit", "--config", config]) == command.EXIT_OWNED
    assert closed == []
