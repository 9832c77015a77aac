import os
import signal
from pathlib import Path
from typing import Any

import pytest

from rrnn_lit import cli as command
from rrnn_lit.bench.faults.signals import SignalAt, arm
from rrnn_lit.evaluation import curves
from rrnn_lit.training import wandb_logging
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.checkpoint_file import read_checkpoint
from rrnn_lit.training.lightning_cli import RRNNCLI
from tests.training.conftest import WriteConfig
from tests.training.ranks import rank, run_ranks
from tests.training.tiny import differences, load, read_json

LAST = Path("checkpoints") / "last.ckpt"


def signal_in_step(monkeypatch: pytest.MonkeyPatch, step: int, number: signal.Signals) -> None:
    """Send this process a signal in the middle of a training step, once."""
    honest = AutoencoderModule.on_before_optimizer_step
    sent: list[int] = []

    def send(module: AutoencoderModule, optimizer: object) -> None:
        if module.global_step + 1 == step and not sent:
            sent.append(step)
            os.kill(os.getpid(), number)
        honest(module, optimizer)  # type: ignore[arg-type]

    monkeypatch.setattr(AutoencoderModule, "on_before_optimizer_step", send)


@pytest.mark.parametrize(
    ("step", "number", "saved"),
    [(5, signal.SIGTERM, 5), (5, signal.SIGUSR1, 5), (8, signal.SIGTERM, 7)],
    ids=["SIGTERM", "SIGUSR1", "an evaluation follows"],
)
def test_a_signal_saves_the_step_and_the_resumed_run_equals_an_uninterrupted_one(
    write_config: WriteConfig,
    run_folder: Path,
    straight_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: int,
    number: signal.Signals,
    saved: int,
) -> None:
    config = str(write_config())
    signal_in_step(monkeypatch, step, number)
    handlers = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGUSR1)]
    assert command.main(["fit", "--config", config]) == command.EXIT_STOPPED
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGUSR1)] == handlers
    line = f"rrnn fit: stopped at step {step} ({number.name}); go on with `rrnn fit --resume"
    assert line in capsys.readouterr().err
    assert read_checkpoint(run_folder / LAST)["global_step"] == saved
    assert not (run_folder / "summary.json").exists()
    assert command.main(["fit", "--resume", str(run_folder)]) == 0
    assert differences(load(straight_run / LAST), load(run_folder / LAST)) == []


def test_a_signal_in_an_evaluation_ends_the_run_there_and_costs_one_step(
    write_config: WriteConfig,
    run_folder: Path,
    straight_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    honest = AutoencoderModule.validation_step
    batches: list[int] = []

    def send(module: AutoencoderModule, *arguments: Any) -> Any:
        if module.global_step == 4 and not batches:
            os.kill(os.getpid(), signal.SIGTERM)
        batches.append(module.global_step)
        return honest(module, *arguments)

    monkeypatch.setattr(AutoencoderModule, "validation_step", send)
    assert command.main(["fit", "--config", str(write_config())]) == command.EXIT_STOPPED
    assert batches == [4]
    assert "rrnn fit: stopped in the evaluation at step 4 (SIGTERM)" in capsys.readouterr().err
    assert read_checkpoint(run_folder / LAST)["global_step"] == 3
    assert command.main(["fit", "--resume", str(run_folder)]) == 0
    assert differences(load(straight_run / LAST), load(run_folder / LAST)) == []


def test_accumulated_batches_of_a_step_are_finished_before_it_is_saved(
    write_config: WriteConfig, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"trainer.max_steps": 6, "trainer.val_check_interval": 100}
    arguments = ["--trainer.accumulate_grad_batches", "3"]
    config = str(write_config(options))
    assert command.main(["fit", "--config", config, *arguments]) == 0
    straight = run_folder.with_name("straight")
    run_folder.rename(straight)
    honest = AutoencoderModule.training_step
    batches: list[int] = []

    def send(module: AutoencoderModule, *given: Any) -> Any:
        batches.append(1)
        if len(batches) == 5:  # the second batch of the second step
            os.kill(os.getpid(), signal.SIGTERM)
        return honest(module, *given)

    monkeypatch.setattr(AutoencoderModule, "training_step", send)
    assert command.main(["fit", "--config", config, *arguments]) == command.EXIT_STOPPED
    assert read_checkpoint(run_folder / LAST)["global_step"] == 2
    assert command.main(["fit", "--resume", str(run_folder)]) == 0
    assert differences(load(straight / LAST), load(run_folder / LAST)) == []


def test_the_word_of_whoever_stops_the_run_is_told(
    write_config: WriteConfig, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_folder.mkdir(parents=True)
    (run_folder / "stop_request").write_text("pruned\n", encoding="utf-8")
    signal_in_step(monkeypatch, 2, signal.SIGTERM)
    with pytest.raises(Exception, match=r"stopped at step 2 \(pruned\)"):
        RRNNCLI(["fit", "--config", str(write_config())])


@pytest.mark.parametrize(
    ("owner", "method", "place"),
    [
        (RRNNCLI, "before_instantiate_classes", "set-up"),
        (AutoencoderModule, "configure_optimizers", "set-up"),
        (AutoencoderModule, "validation_step", "set-up"),  # of the sanity check
        (RRNNCLI, "after_fit", "the final evaluation"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=["SIGTERM", "SIGUSR1"])
def test_a_signal_outside_the_steps_ends_with_75_and_the_same_command_finishes(
    write_config: WriteConfig,
    run_folder: Path,
    straight_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: type,
    method: str,
    place: str,
    number: signal.Signals,
) -> None:
    honest = getattr(owner, method)

    def send(self: object, *arguments: Any) -> Any:
        os.kill(os.getpid(), number)
        return honest(self, *arguments)

    options = {"trainer.num_sanity_val_steps": 1, "run.if_exists": "resume"}
    arguments = ["fit", "--config", str(write_config(options))]
    handlers = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGUSR1)]
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, send)
        assert command.main(arguments) == command.EXIT_STOPPED
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGUSR1)] == handlers
    assert f"rrnn fit: stopped in {place} ({number.name}); " in capsys.readouterr().err
    assert not (run_folder / "summary.json").exists()
    assert command.main(arguments) == 0
    assert differences(load(straight_run / LAST), load(run_folder / LAST)) == []
    wanted, summary = (read_json(f / "summary.json") for f in (straight_run, run_folder))
    assert summary["splits"] == wanted["splits"]


@pytest.mark.parametrize(("module", "name"), [(curves, "plot_curves"), (wandb_logging, "finish")])
def test_a_signal_behind_the_summary_changes_nothing(
    write_config: WriteConfig,
    run_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    name: str,
) -> None:
    # a new start would train another run: this one is finished
    honest = getattr(module, name)

    def send(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return honest(*arguments)

    monkeypatch.setattr(module, name, send)
    assert command.main(["fit", "--config", str(write_config({"trainer.max_steps": 4}))]) == 0
    assert {"summary.json", "curves.png"} <= {path.name for path in run_folder.iterdir()}


@pytest.mark.parametrize(("hook", "step"), [("on_fit_start", 0), ("on_validation_batch_start", 6)])
def test_a_signal_to_one_process_outside_the_steps_stops_all(
    write_config: WriteConfig, tmp_path: Path, hook: str, step: int
) -> None:
    steps = {"trainer.max_steps": 6, "run.if_exists": "resume"}
    config = str(write_config({"trainer.strategy": "ddp", "trainer.devices": 2, **steps}))

    def train() -> int:
        if rank() == 1:
            arm(SignalAt(hook, step, "SIGTERM", str(tmp_path / "once")))
        return command.main(["fit", "--config", config])

    assert run_ranks(2, train, tmp_path / "log") == [command.EXIT_STOPPED] * 2
    assert run_ranks(2, train, tmp_path / "log") == [0, 0]
