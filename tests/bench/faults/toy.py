"""The smallest training that Lightning runs, for injectors to disturb."""

import os
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.utils.data import DataLoader, Dataset


class _Numbers(Dataset[dict[str, Tensor]]):
    def __getitem__(self, number: int) -> dict[str, Tensor]:
        if number >= 100:
            raise IndexError
        return {"x": torch.ones(2), "sentence_numbers_B": torch.tensor([2 * number, 7])}

    def __len__(self) -> int:
        return 100


class Toy(pl.LightningModule):
    """One linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        loss: Tensor = self.layer(batch["x"]).square().sum()
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.01)

    def train_dataloader(self) -> Any:
        return DataLoader(_Numbers(), batch_size=None, generator=torch.Generator().manual_seed(0))


def train(*callbacks: Callback, steps: int = 4, save: Path | None = None) -> pl.Trainer:
    """Train a Toy; with `save`, a checkpoint is written there behind every step."""
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=steps,
        max_epochs=-1,
        logger=False,
        callbacks=[*callbacks, *([] if save is None else [_Save(save)])],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Toy())
    return trainer


class _Save(Callback):
    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        part = self._path.with_suffix(".part")
        trainer.save_checkpoint(part)
        os.replace(part, self._path)
