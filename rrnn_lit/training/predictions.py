"""What `rrnn predict` writes: the sentence vectors of a split and what they decode to.

Shapes: S sentence_vector_size.
"""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
from lightning.pytorch.callbacks import Callback

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.manifest import write_json
from rrnn_lit.training.samples import Reconstruction, reconstruct_row, write_reconstructions

VECTORS_FILE = "sentence_vectors.npy"


class PredictionWriter(Callback):
    """Writes `<run>/predictions/<split>/`.

    `sentence_vectors.npy` (float16, row i belongs to line i), `reconstructions.jsonl`, and
    `manifest.json`, which is written last.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._run = folder
        self._vectors: Any = None
        self._reconstructions: list[Reconstruction] = []

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make room for the vectors of all sentences."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, SentenceDataModule)
        split = data.hparams["predict_split"]
        self.folder = self._run / "predictions" / split
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "manifest.json").unlink(missing_ok=True)
        _, self._sentences = data.split(split)
        size = pl_module.hparams["sentence_vector_size"] or pl_module.hparams["hidden_size"]
        self._vectors = np.lib.format.open_memmap(
            self.folder / VECTORS_FILE, "w+", np.float16, (len(self._sentences), size)
        )
        self._row_of = {int(number): row for row, number in enumerate(self._sentences)}

    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        *_: Any,
    ) -> None:
        """Store a batch at the rows of its sentences."""
        dictionary = trainer.datamodule.word_vectors  # type: ignore[attr-defined]
        numbers = batch["sentence_numbers_B"].tolist()
        rows = [self._row_of[number] for number in numbers]
        self._vectors[rows] = outputs["sentence_vector_BS"].half().cpu().numpy()
        self._reconstructions += [
            reconstruct_row(outputs, i, number, pl_module.words, dictionary)  # type: ignore[arg-type]
            for i, number in enumerate(numbers)
        ]

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the sentences in the order of the vectors and mark the folder as whole."""
        self._vectors.flush()
        self._reconstructions.sort(key=lambda r: self._row_of[r.sentence_number])
        write_reconstructions(self.folder / "reconstructions.jsonl", self._reconstructions)
        content = {
            "split": self.folder.name,
            "num_sentences": len(self._sentences),
            "sentence_vector_size": self._vectors.shape[1],
            "dtype": "float16",
        }
        write_json(self.folder / "manifest.json", content)
        if trainer.progress_bar_callback is not None:
            trainer.progress_bar_callback.print(
                f"wrote {len(self._sentences):,} sentence vectors to {self.folder}"
            )
