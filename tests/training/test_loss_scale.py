from pathlib import Path

import lightning.pytorch as pl
import pytest
from lightning.pytorch.plugins import MixedPrecision

from rrnn_lit.training.loss_scale import KeepLossScale
from rrnn_lit.training.precision import LossScale, LossScaler, loss_scaler
from tests.training.conftest import Fit


def fit_in_fp16(
    build: Fit, init: float, growth_interval: int, steps: int, checkpoint: Path | None = None
) -> pl.Trainer:
    cli = build({"data.batch_size": 4})
    scaler = LossScaler("cpu", init, growth_interval=growth_interval)
    trainer = pl.Trainer(
        accelerator="cpu",
        plugins=[MixedPrecision("16-mixed", device="cpu", scaler=scaler)],
        max_steps=steps,
        max_epochs=-1,
        limit_val_batches=0,
        log_every_n_steps=1,
        logger=False,
        callbacks=[KeepLossScale(LossScale(init, growth_interval))],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(cli.model, datamodule=cli.datamodule, ckpt_path=checkpoint)
    return trainer


@pytest.mark.parametrize(("growth_interval", "scale"), [(100, 64.0), (4, 128.0), (2, 256.0)])
def test_changed_growth_interval_counts_where_a_run_goes_on(
    build: Fit, tmp_path: Path, growth_interval: int, scale: float
) -> None:
    first = fit_in_fp16(build, 64.0, 100, 2)
    first.save_checkpoint(tmp_path / "last.ckpt")
    # four clean steps follow; the count of clean steps starts anew with another interval
    second = fit_in_fp16(build, 64.0, growth_interval, 6, tmp_path / "last.ckpt")
    scaler = loss_scaler(second)
    assert scaler is not None
    assert scaler.get_scale() == scale


def test_changed_first_scale_is_refused_by_name(build: Fit, tmp_path: Path) -> None:
    fit_in_fp16(build, 64.0, 100, 2).save_checkpoint(tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match="loss_scale.init: wanted 64.0, .* got 32.0"):
        fit_in_fp16(build, 32.0, 100, 4, tmp_path / "last.ckpt")


def test_without_a_loss_scale_both_may_change(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 4})
    last = ("--ckpt_path", str(run_folder / "checkpoints" / "last.ckpt"))
    cli = fit(
        {"trainer.max_steps": 6, "loss_scale.init": 7, "loss_scale.growth_interval": 3}, *last
    )
    assert cli.trainer.global_step == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (LossScale(0.0, 5), "loss_scale.init: wanted a number above 0, got 0.0"),
        (LossScale(1.0, 0), "loss_scale.growth_interval: wanted at least 1 step, got 0"),
    ],
)
def test_options_out_of_range_are_refused(options: LossScale, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KeepLossScale(options)
