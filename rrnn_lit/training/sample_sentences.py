"""SampleSentences: the same sentences of tune, decoded at every evaluation."""

import json
from dataclasses import asdict
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.vector_datamodule import SentenceVectorDataModule
from rrnn_lit.training.gathering import gather_texts
from rrnn_lit.training.samples import Reconstruction, marked_text, reconstruct_row
from rrnn_lit.training.wandb_mirror import WandbMirror

_SPLIT = "tune"


class SampleSentences(Callback):
    """Keeps reconstructions of a fixed random part of tune and shows them in W&B.

    Args:
        num_sentences: how many; 0 disables.
    """

    def __init__(self, num_sentences: int) -> None:
        if num_sentences < 0:
            raise ValueError(f"samples.num_sentences: wanted at least 0, got {num_sentences}")
        self.num_sentences = num_sentences
        self.reconstructions: list[Reconstruction] = []
        self._chosen = torch.empty(0, dtype=torch.int64)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Choose the sentences: evaluated ones, by a fixed seed."""
        data: SentenceDataModule | SentenceVectorDataModule = trainer.datamodule  # type: ignore[attr-defined]
        _, sentences = data.split(_SPLIT)
        count = min(self.num_sentences, len(sentences))
        chosen = np.random.default_rng(0).choice(sentences, count, replace=False)
        self._chosen = torch.from_numpy(np.sort(chosen))

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget the last evaluation's."""
        self.reconstructions = []

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the chosen sentences of a tune batch."""
        if dataloader_idx != 0 or not batch["loss_share"]:
            return
        numbers_B: Tensor = batch["sentence_numbers_B"].cpu()
        for row in torch.isin(numbers_B, self._chosen).nonzero().squeeze(1).tolist():
            self.reconstructions.append(
                reconstruct_row(
                    outputs,
                    row,
                    int(numbers_B[row]),
                    pl_module.words,  # type: ignore[arg-type]
                    trainer.datamodule.word_vectors,  # type: ignore[attr-defined]
                )
            )

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Bring those of all processes together; send the table to W&B."""
        if trainer.world_size > 1:
            own = json.dumps([asdict(r) for r in self.reconstructions]).encode()
            parts = map(json.loads, gather_texts(own))
            self.reconstructions = [Reconstruction(**r) for part in parts for r in part]
        self.reconstructions.sort(key=lambda r: r.sentence_number)
        rows = [
            [" ".join(r.words[:-1]), marked_text(r), sum(r.matched) / len(r.matched)]
            for r in self.reconstructions
        ]
        for logger in trainer.loggers:
            if isinstance(logger, WandbMirror) and rows:
                columns = ["sentence", "decoded ([wrong])", "matched_word_rate"]
                key = f"{_SPLIT}/reconstructions"
                logger.log_table(key, columns=columns, data=rows, step=trainer.global_step)
