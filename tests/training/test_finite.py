from pathlib import Path
from typing import Any

import pytest
import torch

from rrnn_lit import cli as command
from rrnn_lit.models.losses import reconstruction_loss
from rrnn_lit.training import autoencoder_module
from rrnn_lit.training.checkpoint_file import read_checkpoint
from tests.training.conftest import WriteConfig
from tests.training.ranks import rank, run_ranks

BAD_STEP = 8  # last.ckpt is written every third step


@pytest.mark.parametrize("memory", ["standard", "lean"])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("place", ["loss", "gradient"])
def test_a_number_that_is_not_finite_ends_the_run_before_the_update(
    write_config: WriteConfig,
    run_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    memory: str,
    bad: float,
    place: str,
) -> None:
    honest = reconstruction_loss
    calls: list[int] = []

    def loss(predicted_NW: torch.Tensor, *arguments: Any) -> torch.Tensor:
        calls.append(1)
        if len(calls) != BAD_STEP:
            return honest(predicted_NW, *arguments)
        if place == "loss":
            return honest(predicted_NW, *arguments) * bad
        predicted_NW.register_hook(lambda gradient: gradient * bad)
        return honest(predicted_NW, *arguments)

    monkeypatch.setattr(autoencoder_module, "reconstruction_loss", loss)
    options = {"model.memory": memory, "trainer.gradient_clip_val": None}
    code = command.main(["fit", "--config", str(write_config(options))])
    assert code == command.EXIT_NOT_FINITE
    what = "the loss" if place == "loss" else "a gradient"
    line = f"rrnn fit: {what} is not finite after {BAD_STEP - 1} steps; the last checkpoint"
    assert line in capsys.readouterr().err
    assert len(calls) == BAD_STEP
    checkpoint = read_checkpoint(run_folder / "checkpoints" / "last.ckpt")
    assert checkpoint["global_step"] == BAD_STEP - 1  # an evaluation was to follow
    assert all(bool(torch.isfinite(w).all()) for w in checkpoint["state_dict"].values())
    assert not (run_folder / "summary.json").exists()


@pytest.mark.parametrize("memory", ["standard", "lean"])
def test_an_infinite_loss_with_finite_gradients_ends_the_run_as_well(
    write_config: WriteConfig,
    run_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    memory: str,
) -> None:
    honest = reconstruction_loss
    calls: list[int] = []

    def loss(*arguments: Any) -> torch.Tensor:
        calls.append(1)
        return honest(*arguments) + (torch.inf if len(calls) == BAD_STEP else 0.0)

    monkeypatch.setattr(autoencoder_module, "reconstruction_loss", loss)
    options = {"model.memory": memory, "trainer.gradient_clip_val": None}
    code = command.main(["fit", "--config", str(write_config(options))])
    assert code == command.EXIT_NOT_FINITE
    line = f"rrnn fit: the loss is not finite after {BAD_STEP - 1} steps; the last checkpoint"
    assert line in capsys.readouterr().err
    assert read_checkpoint(run_folder / "checkpoints" / "last.ckpt")["global_step"] == BAD_STEP - 1


def test_an_infinite_loss_of_one_process_ends_all(
    write_config: WriteConfig, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = {"trainer.strategy": "ddp", "trainer.devices": 2}
    config = str(write_config(options))

    def train() -> int:
        honest, calls = reconstruction_loss, []

        def loss(*arguments: Any) -> torch.Tensor:
            calls.append(1)
            is_bad = rank() == 1 and len(calls) == 3
            return honest(*arguments) + (torch.inf if is_bad else 0.0)

        setattr(autoencoder_module, "reconstruction_loss", loss)  # noqa: B010  not its own name
        return command.main(["fit", "--config", config])

    assert run_ranks(2, train, tmp_path / "log") == [command.EXIT_NOT_FINITE] * 2
    assert "the loss is not finite after 2 steps" in capfd.readouterr().err
