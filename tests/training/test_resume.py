from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
from lightning.pytorch.callbacks import Callback, Timer
from torch import Tensor

from rrnn_lit import cli as command
from rrnn_lit.bench.faults.saves import DieAtRename
from rrnn_lit.bench.faults.signals import SignalAt, arm
from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.metrics_log import read_metrics
from rrnn_lit.training.summary import read_summary
from tests.training.conftest import Fit, WriteConfig
from tests.training.tiny import TINY, Options, differences, in_child, load

LAST = "checkpoints/last.ckpt"
EXACT = "test/exact_sentences"


@pytest.mark.parametrize(
    "fault",
    [
        SignalAt("on_train_batch_start", 6, "SIGKILL"),  # right after last.ckpt of step 6
        SignalAt("on_train_batch_start", 8, "SIGKILL"),  # right after an evaluation
        SignalAt("on_before_backward", 5, "SIGKILL"),  # two steps after last.ckpt: done again
        SignalAt("on_validation_batch_start", 8, "SIGKILL"),
        DieAtRename(6, "before"),
    ],
    ids=["after last.ckpt", "after evaluation", "between", "in evaluation", "in save"],
)
def test_resume_equals_uninterrupted(
    fit: Fit,
    write_config: WriteConfig,
    run_folder: Path,
    straight_run: Path,
    fault: Callback,
) -> None:
    def run() -> int:
        arm(fault)
        RRNNCLI(["fit", "--config", str(write_config())])
        return 0

    assert in_child(run) == -9
    resumed = fit({}, "--run.if_exists", "resume")
    assert resumed.folder == run_folder
    for name in (LAST, "checkpoints/best.ckpt"):
        assert differences(load(straight_run / name), load(run_folder / name)) == []
    assert sorted(p.name for p in (run_folder / "checkpoints").iterdir()) == [
        "best.ckpt",
        "last-1.ckpt",
        "last.ckpt",
    ]
    assert comparable(straight_run) == comparable(run_folder)


def comparable(folder: Path) -> list[Any]:
    """Return what evaluations logged and the summary, without times and places."""
    records = read_metrics(folder / "metrics.jsonl")
    figures = [
        {k: v for k, v in r.items() if k not in ("time", "life")}
        for r in records
        if "test/matched_words" in r
    ]
    own = ("seconds", "effective_training_time", "starts", "lost_steps")
    summary = {k: v for k, v in read_summary(folder).items() if k not in own}
    return [figures, summary]


def test_interrupted_run_can_be_resumed(
    write_config: WriteConfig,
    run_folder: Path,
    straight_run: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def interrupt() -> int:
        original = AutoencoderModule.training_step

        def training_step(self: AutoencoderModule, *arguments: Any) -> Tensor:
            if self.global_step == 7:
                raise KeyboardInterrupt
            return original(self, *arguments)

        AutoencoderModule.training_step = training_step  # type: ignore[method-assign,assignment]
        return command.main(["fit", "--config", str(write_config())])

    assert in_child(interrupt) == command.EXIT_INTERRUPTED
    assert f"interrupted at step 7; go on with `rrnn fit --resume {run_folder}`" in (
        capfd.readouterr().err
    )
    assert command.main(["fit", "--resume", str(run_folder)]) == 0
    assert differences(load(straight_run / LAST), load(run_folder / LAST)) == []


@pytest.mark.parametrize("first_end", [7, 9, 8], ids=["odd step", "saved", "evaluated"])
def test_extended_run_equals_straight_run(
    fit: Fit, run_folder: Path, straight_run: Path, first_end: int
) -> None:
    fit({"trainer.max_steps": first_end})
    assert (
        command.main(
            [
                "fit",
                f"--resume={run_folder}",
                "--trainer.max_steps",
                str(TINY["trainer.max_steps"]),
            ]
        )
        == 0
    )
    assert differences(load(straight_run / LAST), load(run_folder / LAST)) == []


def test_lean_memory_with_half_moments_resumes_exactly(
    fit: Fit, run_folder: Path, tmp_path: Path
) -> None:
    lean: Options = {
        "model.memory": "lean",
        "model.round_moments": "fp16",
        "trainer.gradient_clip_val": None,
    }
    straight = fit({**lean, "run.folder": str(tmp_path / "straight")}).folder
    fit({**lean, "trainer.max_steps": 5})
    end = str(TINY["trainer.max_steps"])
    assert command.main(["fit", f"--resume={run_folder}", "--trainer.max_steps", end]) == 0
    assert differences(load(straight / LAST), load(run_folder / LAST)) == []


@pytest.mark.parametrize("stop", [5, 6, 8], ids=["between", "saved", "evaluated"])
def test_run_stopped_by_its_timer_and_resumed_equals_straight_run(
    fit: Fit, run_folder: Path, straight_run: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_train_batch_end(self: Timer, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == stop:
            self.load_state_dict({"time_elapsed": {"train": 3601.0}})
        end_step(self, trainer)

    end_step = Timer.on_train_batch_end
    monkeypatch.setattr(Timer, "on_train_batch_end", on_train_batch_end)
    fit({"trainer.max_time": "00:01:00:00"})
    assert read_summary(run_folder)["stop_reason"] == f"trainer.max_time reached at step {stop}"
    assert load(run_folder / LAST)["global_step"] == stop
    evaluated = [r["step"] for r in read_metrics(run_folder / "metrics.jsonl") if EXACT in r]
    assert evaluated == [4, stop]
    arguments = ["fit", "--resume", str(run_folder), "--trainer.max_time", "null"]
    assert command.main(arguments) == 0
    assert differences(load(straight_run / LAST), load(run_folder / LAST)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model.hidden_size": 20}, "model.hidden_size: the checkpoint has 16, the config 20"),
        ({"model.l2": 0.5}, "model.l2: the checkpoint has 0.001, the config 0.5"),
        ({"model.beta2": 0.5}, "model.beta2: the checkpoint has 0.99, the config 0.5"),
        ({"data.batch_size": 4}, "data.batch_size: the checkpoint was written with 8, got 4"),
        ({"data.seed": 5}, "data.seed: the checkpoint was written with 1234, got 5"),
    ],
)
def test_resume_refuses_a_changed_option_by_name(
    fit: Fit, run_folder: Path, change: Options, message: str
) -> None:
    fit({"trainer.max_steps": 4})
    with pytest.raises(ValueError, match=message):
        fit(change, "--ckpt_path", str(run_folder / LAST))


def test_resume_refuses_another_dictionary(fit: Fit, run_folder: Path, tmp_path: Path) -> None:
    fit({"trainer.max_steps": 4})
    write_synthetic(tmp_path / "other", seed=1)
    other = {"data.folder": str(tmp_path / "other")}
    with pytest.raises(ValueError, match="data.folder: .* trained with another dictionary"):
        fit(other, "--ckpt_path", str(run_folder / LAST))


def test_learning_rate_may_change_on_resume(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 4})
    cli = fit({"model.learning_rate": 0.5}, "--ckpt_path", str(run_folder / LAST))
    records = read_metrics(cli.folder / "metrics.jsonl")
    rates = {r["step"]: r["optimizer/learning_rate"] for r in records if "train/loss" in r}
    assert np.allclose([rates[3], rates[6]], [0.01 * 0.99**2, 0.5 * 0.99**5], rtol=1e-12)


def test_best_count_survives_a_move_of_the_folder(
    fit: Fit, run_folder: Path, straight_run: Path
) -> None:
    fit({"trainer.max_steps": 7})
    moved = run_folder.rename(run_folder.with_name("moved"))
    arguments = ["fit", "--resume", str(moved), "--trainer.max_steps", "10"]
    assert command.main(arguments) == 0
    assert differences(load(straight_run / LAST), load(moved / LAST)) == []


def test_a_checkpoint_of_another_folder_has_no_best_here(fit: Fit, run_folder: Path) -> None:
    first = fit({"trainer.max_steps": 4})
    with pytest.warns(UserWarning, match="The dirpath has changed"):
        fit({"run.folder": str(run_folder) + "-b"}, "--ckpt_path", str(first.folder / LAST))
    best = run_folder.with_name("demo-b") / "checkpoints" / "best.ckpt"
    assert load(best)["global_step"] == 8
