import shutil
import sys
from pathlib import Path

import pytest

from rrnn_lit import cli as command
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.checkpoints import BestCheckpoint, DurableCheckpointIO, LastCheckpoint
from rrnn_lit.training.lightning_cli import RRNNCLI, OptionError
from rrnn_lit.training.metrics_log import MetricsLog
from rrnn_lit.training.precision import loss_scaler
from rrnn_lit.training.preemption import StopOnSignal
from rrnn_lit.training.sample_sentences import SampleSentences
from rrnn_lit.training.stopping import MatchedWordsStopping
from tests.training.conftest import Fit, WriteConfig
from tests.training.tiny import in_child


def test_builds_without_running(build: Fit, run_folder: Path) -> None:
    cli = build({"loss.match_margin": 0.25})
    assert cli.model.hparams["match_margin"] == 0.25
    assert cli.model.hparams["word_dim"] == cli.datamodule.word_dim == 16
    assert cli.trainer.global_step == 0
    assert not (run_folder / "config.yaml").exists()


def test_last_checkpoint_sees_what_all_other_callbacks_did(build: Fit) -> None:
    kinds = [type(c) for c in build().trainer.callbacks]  # type: ignore[attr-defined]
    assert kinds[-3:] == [BestCheckpoint, LastCheckpoint, StopOnSignal]
    assert {MatchedWordsStopping, SampleSentences} <= set(kinds)


def test_own_loggers_and_writer(build: Fit) -> None:
    trainer = build().trainer
    assert [type(logger) for logger in trainer.loggers] == [MetricsLog]
    assert isinstance(trainer.strategy.checkpoint_io, DurableCheckpointIO)
    assert loss_scaler(trainer) is None


def test_arguments_beside_a_programs_own_are_no_warning(
    build: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    # warnings are errors: Lightning's own warns when sys.argv and args are both there
    monkeypatch.setattr(sys, "argv", ["some_program", "--its-own-option"])
    assert build().model.hparams["hidden_size"] == 16


def test_an_option_nobody_knows_is_one_line(write_config: WriteConfig) -> None:
    with pytest.raises(OptionError) as caught:
        RRNNCLI(["fit", "--config", str(write_config()), "--model.hiden_size", "3"])
    assert str(caught.value) == "unrecognized arguments: --model.hiden_size 3"


def test_too_little_text_for_the_steps_is_refused(build: Fit) -> None:
    # 140 training sentences: 18 batches of 8
    build({"data.max_passes": 1, "trainer.max_steps": 18})
    message = (
        r"trainer.max_steps: 19 steps need 19 batches, got 18 in data.max_passes=1 passes "
        r"over the train split of .*; raise data.max_passes"
    )
    with pytest.raises(ValueError, match=message):
        build({"data.max_passes": 1, "trainer.max_steps": 19})
    with pytest.raises(ValueError, match="trainer.max_steps: 10 steps need 20 batches, got 18"):
        build({"data.max_passes": 1, "trainer.accumulate_grad_batches": 2})


def test_second_run_leaves_the_first_alone(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 4})
    before = {p: p.read_bytes() for p in run_folder.rglob("*") if p.is_file()}
    second = fit({"trainer.max_steps": 4}, "--run.if_exists", "new")
    assert second.folder == run_folder.with_name("demo-2")
    assert {p: p.read_bytes() for p in run_folder.rglob("*") if p.is_file()} == before
    with pytest.raises(ValueError, match="run.folder: wanted an unused folder"):
        fit({}, "--run.if_exists", "error")


def test_folder_with_an_unfinished_run_can_be_built_upon(fit: Fit, build: Fit) -> None:
    cli = fit({"trainer.max_steps": 4})
    (cli.folder / "summary.json").unlink()
    assert build({"run.if_exists": "resume"}).folder == cli.folder


def test_no_temporary_file_is_left(straight_run: Path) -> None:
    assert list(straight_run.rglob("*.part")) == []


def test_user_callbacks_are_kept(fit: Fit) -> None:
    callback = '{"class_path": "lightning.pytorch.callbacks.ModelSummary"}'
    cli = fit({"trainer.max_steps": 4}, "--trainer.callbacks+", callback)
    assert "ModelSummary" in [type(c).__name__ for c in cli.trainer.callbacks]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "step", "further"),
    [
        ("validate", "validation_step", "starts again"),
        ("test", "test_step", "starts again"),
        ("predict", "predict_step", "goes on"),
    ],
)
def test_ctrl_c_in_an_evaluation_is_one_line(
    straight_run: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    name: str,
    step: str,
    further: str,
) -> None:
    run = tmp_path / "run"
    shutil.copytree(straight_run, run)

    def interrupt() -> int:
        setattr(AutoencoderModule, step, ctrl_c)
        return command.main([name, "--run", str(run)])

    assert in_child(interrupt) == command.EXIT_INTERRUPTED
    line = f"rrnn {name}: interrupted; the same command {further}"
    assert capfd.readouterr().err.splitlines()[-1] == line


def ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_before_the_first_checkpoint_does_not_promise_to_resume(
    write_config: WriteConfig, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> int:
        AutoencoderModule.training_step = ctrl_c  # type: ignore[method-assign,assignment]
        return command.main(["fit", "--config", str(write_config())])

    assert in_child(interrupt) == command.EXIT_INTERRUPTED
    line = (
        "rrnn fit: interrupted at step 0, before the first checkpoint; "
        "the same command starts again"
    )
    assert capfd.readouterr().err.splitlines()[-1] == line


@pytest.mark.parametrize(("given", "meant"), [("32", "32-true"), ("bf16", "bf16-mixed")])
def test_short_precisions_are_lightnings(
    write_config: WriteConfig, given: str, meant: str
) -> None:
    options = ["--config", str(write_config()), "--trainer.precision", given]
    cli = RRNNCLI(options, run=False)
    assert cli.trainer.precision == cli.options.trainer.precision == meant


def test_devices_that_lightning_refuses_are_a_mistake(build: Fit) -> None:
    with pytest.raises(ValueError, match="trainer: `devices` selected with `CPUAccelerator`"):
        build({"trainer.devices": -1})
