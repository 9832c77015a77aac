"""On a GPU the host must not wait for a value inside a training step.

Without one, operations that would make it wait are caught as they are called, in loss, gradients
and update. The match has its own search on a CPU, which may look at values, and so may the loss
scaler and the learning rate; the gpu test runs whole steps of a Trainer.
"""

from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.precision import LossScale, precision_plugin
from tests.training.conftest import Fit

WAITING = {
    "_local_scalar_dense",
    "_unique2",
    "equal",
    "masked_scatter",
    "masked_select",
    "nonzero",
    "repeat_interleave",
    "unique_dim",
}


class NoWaiting(TorchDispatchMode):
    """Raises where a value or a value-dependent shape is asked for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        flat = [x for arg in args for x in (arg if isinstance(arg, list | tuple) else [arg])]
        by_flags = name in ("index", "index_put", "index_put_") and any(
            isinstance(x, Tensor) and x.dtype == torch.bool for x in flat[1:]
        )
        assert name not in WAITING, name
        assert not by_flags, f"{name} by flags"
        return func(*args, **(kwargs or {}))


def step(cli: RRNNCLI, guard: NoWaiting) -> None:
    """Loss, gradients and update of one batch, under a guard."""
    model, optimizer = cli.model, cli.trainer.optimizers[0]
    batch = next(iter(cli.datamodule.train_dataloader()))
    batch["word_ids_BT"] = batch["word_ids_BT"].to(model.device)
    with guard:
        loss = model.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize(
    ("forbidden", "call"),
    [
        ("_local_scalar_dense", lambda x: float(x.sum())),
        ("nonzero", lambda x: x.nonzero()),
        ("index by flags", lambda x: x[x > 0]),
    ],
)
def test_waiting_is_noticed(forbidden: str, call: Callable[[Tensor], Any]) -> None:
    with pytest.raises(AssertionError, match=forbidden), NoWaiting():
        call(torch.ones(3))


@pytest.mark.parametrize("memory", ["standard", "lean"])
def test_a_step_asks_for_no_value(fit: Fit, monkeypatch: pytest.MonkeyPatch, memory: str) -> None:
    cli = fit({"model.memory": memory, "trainer.gradient_clip_val": None})

    def is_nearest(predicted_NW: Tensor, word_ids_N: Tensor, margin: float) -> Tensor:
        return word_ids_N % 2 == 0

    monkeypatch.setattr(cli.model.words, "is_nearest", is_nearest)
    step(cli, NoWaiting())


class RefuseToWait(Callback):
    """Lets CUDA raise where the host waits for it, from the second step on."""

    def on_train_batch_start(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_step:
            torch.cuda.set_sync_debug_mode("error")

    def on_train_batch_end(self, *_: object) -> None:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@pytest.mark.parametrize("memory", ["standard", "lean"])
def test_steps_of_a_trainer_do_not_wait_for_the_gpu(build: Fit, memory: str) -> None:
    cli = build({"model.memory": memory})
    plugin = precision_plugin("16-mixed", "gpu", LossScale(50.0, 2000))
    assert plugin is not None
    trainer = pl.Trainer(
        accelerator="gpu",
        devices=1,
        plugins=[plugin],
        max_steps=3,
        max_epochs=-1,
        limit_val_batches=0,
        log_every_n_steps=100,
        logger=False,
        callbacks=[RefuseToWait()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    try:
        trainer.fit(cli.model, datamodule=cli.datamodule)
    finally:
        torch.cuda.set_sync_debug_mode("default")
