from pathlib import Path
from typing import Any

import pytest
import torch

from rrnn_lit import cli as command
from rrnn_lit.models.losses import reconstruction_loss
from rrnn_lit.training import autoencoder_module
from rrnn_lit.training.checkpoint_file import read_checkpoint
from tests.training.conftest import WriteConfig

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
    line = f"rrnn fit: a gradient is not finite after {BAD_STEP - 1} steps; the last checkpoint"
    assert line in capsys.readouterr().err
    assert len(calls) == BAD_STEP
    checkpoint = read_checkpoint(run_folder / "checkpoints" / "last.ckpt")
    assert checkpoint["global_step"] == BAD_STEP - 1  # an evaluation was to follow
    assert all(bool(torch.isfinite(w).all()) for w in checkpoint["state_dict"].values())
    assert not (run_folder / "summary.json").exists()
