from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor

from rrnn_lit import cli as command
from rrnn_lit.models.losses import reconstruction_loss
from rrnn_lit.training import autoencoder_module
from rrnn_lit.training.finite import FiniteGuard, NotFiniteError
from rrnn_lit.training.metrics_log import MetricsLog, read_metrics
from rrnn_lit.training.optimizer import count_updates
from rrnn_lit.training.precision import (
    LossScale,
    LossScaler,
    precision_plugin,
    refuse_changed_precision,
)
from rrnn_lit.training.summary import read_summary
from tests.training.conftest import Fit, WriteConfig

SCALE = LossScale(init=50.0, growth_interval=2000)
BAD_STEP = 4


class Recorder(Callback):
    """What each step did to weights, learning rate and loss scale."""

    def __init__(self) -> None:
        self.steps: list[tuple[bool, float, float, int]] = []
        self._before: Tensor | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        self._before = next(pl_module.parameters()).detach().clone()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        assert self._before is not None
        changed = not torch.equal(next(pl_module.parameters()), self._before)
        optimizer = trainer.optimizers[0]
        plugin = trainer.precision_plugin
        assert isinstance(plugin, MixedPrecision)
        assert plugin.scaler is not None
        rate = float(optimizer.param_groups[0]["lr"])
        self.steps.append((changed, rate, plugin.scaler.get_scale(), count_updates(optimizer)))


def overflow_once(monkeypatch: pytest.MonkeyPatch) -> list[torch.dtype]:
    """Make the loss of one step infinite; return the precision of products in every step."""
    calls: list[torch.dtype] = []
    honest = reconstruction_loss

    def loss(*arguments: Any) -> Tensor:
        value = honest(*arguments)
        matrix = torch.ones(1, 1, device=value.device)
        calls.append((matrix @ matrix).dtype)
        return value * torch.inf if len(calls) == BAD_STEP else value

    monkeypatch.setattr(autoencoder_module, "reconstruction_loss", loss)
    return calls


def train_in_fp16(
    build: Fit,
    folder: Path,
    device: str,
    memory: str = "standard",
    max_steps: int = 6,
    guard: Callback | None = None,
) -> tuple[Recorder, list[dict[str, float]]]:
    cli = build({"data.batch_size": 4, "model.memory": memory})
    recorder = Recorder()
    scaler = LossScaler(device, init_scale=SCALE.init)
    trainer = pl.Trainer(
        accelerator=device,
        devices=1,
        plugins=[MixedPrecision("16-mixed", device=device, scaler=scaler)],
        max_steps=max_steps,
        max_epochs=-1,
        limit_val_batches=0,
        log_every_n_steps=1,
        logger=MetricsLog(folder),
        callbacks=[recorder, *([guard] if guard else [])],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(cli.model, datamodule=cli.datamodule)
    return recorder, read_metrics(folder / "metrics.jsonl")


def check_skipped_step(recorder: Recorder, records: list[dict[str, float]]) -> None:
    changed, rates, scales, updates = zip(*recorder.steps, strict=True)
    assert changed == (True, True, True, False, True, True)
    assert scales == (50.0, 50.0, 50.0, 25.0, 25.0, 25.0)
    assert updates == (1, 2, 3, 3, 4, 5)
    # the rate of the skipped fourth step is used again by the fifth
    # in fp32 on a GPU
    assert rates == pytest.approx([0.01 * 0.99**n for n in (0, 1, 2, 3, 3, 4)], rel=1e-6)
    assert [r["fp16/skipped_steps"] for r in records] == [0, 0, 0, 1, 1, 1]
    assert [r["fp16/loss_scale"] for r in records] == list(scales)
    assert [r["optimizer/num_updates"] for r in records] == list(updates)


@pytest.mark.parametrize("memory", ["standard", "lean"])
def test_inf_step_is_skipped_and_scale_halves(
    build: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    dtypes = overflow_once(monkeypatch)
    check_skipped_step(*train_in_fp16(build, tmp_path, "cpu", memory))
    assert dtypes == [torch.float16] * 6


def test_a_run_whose_every_step_overflows_is_ended(
    build: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = reconstruction_loss
    monkeypatch.setattr(
        autoencoder_module, "reconstruction_loss", lambda *given: honest(*given) * torch.inf
    )
    with pytest.raises(NotFiniteError, match="a gradient is not finite after 27 steps"):
        train_in_fp16(build, tmp_path, "cpu", max_steps=40, guard=FiniteGuard(SCALE))


@pytest.mark.gpu
def test_inf_step_is_skipped_and_scale_halves_on_cuda(
    build: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dtypes = overflow_once(monkeypatch)
    check_skipped_step(*train_in_fp16(build, tmp_path, "cuda"))
    assert dtypes == [torch.float16] * 6


def test_sixteen_mixed_uses_the_configured_loss_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    # nothing touches the device before the first step
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    plugin = precision_plugin("16-mixed", "gpu", LossScale(init=64.0, growth_interval=7))
    assert plugin is not None
    assert plugin.scaler is not None
    assert plugin.scaler.is_enabled()
    assert plugin.scaler.get_scale() == 64.0
    assert plugin.scaler.get_growth_interval() == 7


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
def test_no_plugin_where_lightning_is_right(precision: str) -> None:
    assert precision_plugin(precision, "cpu", SCALE) is None


def test_sixteen_mixed_on_a_cpu_is_refused() -> None:
    wanted = "trainer.precision: 16-mixed needs a CUDA device, got accelerator 'cpu'"
    with pytest.raises(ValueError, match=wanted):
        precision_plugin("16-mixed", "cpu", SCALE)


def test_sixteen_mixed_without_cuda_is_one_line(
    write_config: WriteConfig, capsys: pytest.CaptureFixture[str], run_folder: Path
) -> None:
    config = str(write_config())
    code = command.main(["fit", "--config", config, "--trainer.precision", "16-mixed"])
    assert code == command.EXIT_BAD_INPUT
    lines = [line for line in capsys.readouterr().err.splitlines() if "Seed set" not in line]
    assert len(lines) == 1
    assert lines[0].startswith("rrnn fit: trainer.precision: 16-mixed needs a CUDA device")
    assert not run_folder.exists()


@pytest.mark.filterwarnings("ignore:You passed .*AMP with fp16 is not supported:UserWarning")
@pytest.mark.filterwarnings("ignore:.*precision=16.*is supported for historical:UserWarning")
def test_a_silently_changed_precision_is_refused() -> None:
    trainer = pl.Trainer(
        accelerator="cpu", precision="16-mixed", logger=False, enable_checkpointing=False
    )
    with pytest.raises(ValueError, match="wanted 16-mixed, but the trainer would run bf16-mixed"):
        refuse_changed_precision(trainer, "16-mixed")


@pytest.mark.parametrize(
    ("precision", "product"), [("bf16-mixed", torch.bfloat16), ("32-true", torch.float32)]
)
def test_precision_is_the_one_asked_for(
    fit: Fit, precision: str, product: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    step = autoencoder_module.AutoencoderModule.training_step

    def training_step(self: autoencoder_module.AutoencoderModule, *arguments: object) -> Tensor:
        seen.add((torch.ones(1, 1) @ torch.ones(1, 1)).dtype)
        return step(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(autoencoder_module.AutoencoderModule, "training_step", training_step)
    cli = fit({"trainer.precision": precision, "trainer.max_steps": 4})
    assert read_summary(cli.folder)["precision"] == precision
    assert seen == {product}
    assert {p.dtype for p in cli.model.parameters()} == {torch.float32}  # master weights
