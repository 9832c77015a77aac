import math
from typing import Any, Literal

import lightning.pytorch as pl
import pytest
import torch

from rrnn_lit.bench.faults.numbers import NotFinite
from tests.bench.faults.toy import train


class Note(pl.Callback):
    """Whether gradients and losses were finite, by step."""

    def __init__(self) -> None:
        self.gradients: list[bool] = []
        self.losses: list[float] = []

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any
    ) -> None:
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        self.gradients.append(all(bool(torch.isfinite(g).all()) for g in gradients))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any
    ) -> None:
        self.losses.append(float(outputs["loss"]))


@pytest.mark.parametrize("place", ["loss", "gradient"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_one_step_has_gradients_that_are_not_finite(
    place: Literal["loss", "gradient"], value: Literal["nan", "inf"]
) -> None:
    note = Note()
    train(NotFinite(2, place, value), note, steps=3)
    assert note.gradients == [True, True, False]
    assert math.isfinite(note.losses[2]) == (place == "gradient")
    assert all(math.isfinite(loss) for loss in note.losses[:2])
