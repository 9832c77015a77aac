from pathlib import Path

import pytest
import yaml

from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.metrics_log import read_metrics
from tests.training.conftest import Fit
from tests.training.tiny import differences, load, tiny_config


def read_config(path: Path) -> dict[str, dict[str, object]]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_config_is_complete(fit: Fit, run_folder: Path, prepared_folder: Path) -> None:
    fit({"trainer.max_steps": 4}, "--model.hidden_size", "12")
    config = read_config(run_folder / "config.yaml")
    asked = tiny_config(prepared_folder, run_folder, {"trainer.max_steps": 4})
    asked["model"]["hidden_size"] = 12
    for group, options in asked.items():
        if isinstance(options, dict):
            assert {name: config[group][name] for name in options} == options
    # options that nobody gave are there with their values
    assert config["data"]["num_workers"] == 0
    assert config["trainer"]["accumulate_grad_batches"] == 1


def test_config_repeats_the_run(straight_run: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "again")
    again = RRNNCLI(["fit", "--config", str(straight_run / "config.yaml"), "--run.folder", folder])
    first, second = (load(f / "checkpoints/last.ckpt") for f in (straight_run, again.folder))
    assert differences(first, second) == []
    assert read_config(again.folder / "config.yaml")["run"]["folder"] == str(again.folder)


def test_resume_with_other_options_keeps_the_earlier_config(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 4})
    last = ("--ckpt_path", str(run_folder / "checkpoints" / "last.ckpt"))
    (run_folder / "summary.json").unlink()  # as a kill before the end would
    fit({"trainer.max_steps": 4}, *last)
    assert sorted(p.name for p in run_folder.glob("config*")) == ["config.yaml"]
    fit({"trainer.max_steps": 6}, *last)
    fit({"trainer.max_steps": 8}, *last)
    steps = {p.name: read_config(p)["trainer"]["max_steps"] for p in run_folder.glob("config*")}
    assert steps == {"config.1.yaml": 4, "config.2.yaml": 6, "config.yaml": 8}


def test_config_of_a_resumed_run_starts_a_new_one(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 4})
    fit({"trainer.max_steps": 6}, "--ckpt_path", str(run_folder / "checkpoints" / "last.ckpt"))
    again = RRNNCLI(["fit", "--config", str(run_folder / "config.yaml")])
    assert again.folder.name == "demo-2"
    assert read_metrics(again.folder / "metrics.jsonl")[0]["step"] == 3


def test_a_refused_extension_leaves_a_finished_run_as_it_was(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 4})
    before = {path: path.read_bytes() for path in run_folder.rglob("*") if path.is_file()}
    last = ("--ckpt_path", str(run_folder / "checkpoints" / "last.ckpt"))
    with pytest.raises(ValueError, match="data.batch_size: the checkpoint was written with 8"):
        fit({"trainer.max_steps": 6, "data.batch_size": 4}, *last)
    after = {path: path.read_bytes() for path in run_folder.rglob("*") if path.is_file()}
    assert after == before
