"""Row 11: real fp16 on the CPU; the loss scale survives deaths around its growth."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins import MixedPrecision

from rrnn_lit.bench.faults.numbers import NotFinite
from rrnn_lit.bench.faults.saves import DieAtRename
from rrnn_lit.bench.faults.signals import SignalAt
from rrnn_lit.training import lightning_cli
from rrnn_lit.training.precision import LossScale, LossScaler
from tests.faults.lives import TinyRun, keys_differing

OPTIONS = {
    "trainer.precision": "16-mixed",
    "trainer.log_every_n_steps": 1,
    "checkpoint.every_n_steps": 1,
    "loss_scale.init": 50,
    "loss_scale.growth_interval": 3,
}
OVERFLOW = NotFinite(4, "gradient", "inf")  # the scale halves there, and its step is skipped
# the scale grows at the third clean step: kills before, at and behind it, and at the overflow
FAULTS: list[Callback] = [
    SignalAt("on_train_batch_start", 2, "SIGKILL"),
    SignalAt("on_before_optimizer_step", 2, "SIGKILL"),
    DieAtRename(3, "before"),
    SignalAt("on_train_batch_start", 3, "SIGKILL"),
    SignalAt("on_train_batch_start", 5, "SIGKILL"),
    SignalAt("on_after_backward", 6, "SIGTERM"),
]


def allow_fp16_on_a_cpu() -> None:
    """Let this process use the product's loss scaler where the product wants CUDA."""

    def plugin(precision: str, _: str, scale: LossScale) -> MixedPrecision:
        scaler = LossScaler("cpu", init_scale=scale.init, growth_interval=scale.growth_interval)
        return MixedPrecision("16-mixed", device="cpu", scaler=scaler)

    setattr(lightning_cli, "precision_plugin", plugin)  # noqa: B010  not its own name


@pytest.mark.promise(11)
@pytest.mark.timeout(120)
def test_loss_scale_and_weights_survive_deaths_around_a_growth(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    def tiny(name: str) -> TinyRun:
        folder = tmp_path / name / "run"
        return TinyRun(folder, prepared_folder, OPTIONS, prepare_process=allow_fp16_on_a_cpu)

    straight, mortal = tiny("straight"), tiny("mortal")
    assert straight.start(OVERFLOW) == 0
    for fault in FAULTS:
        assert mortal.start(OVERFLOW, fault) in (-9, 75)
    assert mortal.start(OVERFLOW) == 0
    scales = [run.last()["MixedPrecision"]["scale"] for run in (straight, mortal)]
    logged = [r["fp16/loss_scale"] for r in straight.figures() if "fp16/loss_scale" in r]
    found = keys_differing(straight, mortal)
    got(f"{len(found)} keys differ, loss scale {scales[1]:g} and {scales[0]:g}")
    assert len(set(logged)) > 1, "the scale has grown and halved"
    assert scales[0] == scales[1]
    assert found == []
    assert straight.figures() == mortal.figures()
