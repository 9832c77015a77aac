"""SentenceVectorDataModule: the batches of a SentenceDataModule, for training on their vectors.

Shapes: B sentences, S sentence_vector_size.
"""

from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.loading import Batch, ResumableLoader, make_loader
from rrnn_lit.data.manifest import MANIFEST_FILE, DataError, file_digest
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.sentence_vectors import SentenceVectors
from rrnn_lit.data.token_store import TokenStore
from rrnn_lit.words.vectors import WordVectors


class VectorBatch(Batch, total=False):
    """A batch that may bring its vectors: `sentence_vector_BS`, fp16."""

    sentence_vector_BS: Tensor


class SentenceVectorDataModule(pl.LightningDataModule):
    """Sentences whose vectors a frozen autoencoder makes, at once or long before.

    Batch k is a function of the seed and k alone, as for the autoencoder.

    Args:
        folder: prepared folder whose dictionary the autoencoder was trained with.
        autoencoder: the trained model: the folder of a run (its best weights) or a bundle.
        vectors: null: the encoder makes the vectors of each batch; or the folder
            `RUN/predictions/train` that `rrnn predict --data.predict_split train` wrote, which
            saves that time and takes 2 bytes a component.
        batch_size: sentences per update over all processes (author's implementation: 32).
        max_words: longest sentence that takes part, EOS included (paper: 60).
        seed: key of the order of the sentences, any non-negative integer.
        max_passes: passes over the train split that a run may take; null for no limit.
        length_buckets: batches in a window that is sorted by length, which saves the encoder
            padding; 0 is plain random order.
        tune_sentences: evaluate the first so many sentences of the tune split; null for all.
        test_sentences: the same for the test split, whose matched words stop training.
        holdout_sentences: the same for the holdout split, which only `rrnn test` opens.
        eval_batch_size: sentences per evaluation batch; changes speed and memory, no result.
        predict_split: the split that `rrnn predict` writes compressed vectors and words of.
        shard_sentences: sentences in a file that `rrnn predict` writes.
        num_workers: processes that load batches; 0 loads in the training process.
        verify: compare every file with its digest before use, about one second a gigabyte.

    Raises:
        ValueError: an option is out of range, or a folder is missing, incomplete or changed.
    """

    def __init__(
        self,
        folder: str,
        autoencoder: str,
        vectors: str | None,
        batch_size: int,
        max_words: int,
        seed: int,
        max_passes: int | None,
        length_buckets: int,
        tune_sentences: int | None,
        test_sentences: int | None,
        holdout_sentences: int | None,
        eval_batch_size: int,
        predict_split: Literal["train", "tune", "test", "holdout"] = "tune",
        shard_sentences: int = 16_384,
        num_workers: int = 0,
        verify: bool = True,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self._sentences = SentenceDataModule(
            folder,
            batch_size,
            max_words,
            seed,
            max_passes,
            length_buckets,
            0,  # a blanked word would make another vector
            tune_sentences,
            test_sentences,
            holdout_sentences,
            eval_batch_size,
            predict_split,
            shard_sentences,
            num_workers,
            verify,
        )
        # what `autoencoder` holds; opened by who may know models, once
        self.model_parts: Any = None
        self.vectors = None if vectors is None else self._open_vectors(Path(vectors), verify)

    def _open_vectors(self, folder: Path, verify: bool) -> SentenceVectors:
        vectors = SentenceVectors(folder, verify=verify)
        wanted = {
            "split": "train",
            "data_digest": self.prepared.digest,
            "max_words": self.hparams["max_words"],
            "num_sentences": len(self.split("train")[1]),
        }
        for name, value in wanted.items():
            if vectors.manifest[name] != value:
                raise DataError(
                    f"data.vectors: wanted {name} {value} in {folder}, "
                    f"got {vectors.manifest[name]}"
                )
        return vectors

    @property
    def sentences(self) -> SentenceDataModule:
        """The sentences that the vectors are of."""
        self._sentences.trainer = self.trainer
        return self._sentences

    @property
    def prepared(self) -> PreparedData:
        """The prepared folder."""
        return self._sentences.prepared

    @property
    def word_vectors(self) -> WordVectors:
        """The dictionary."""
        return self._sentences.word_vectors

    @property
    def available_batches(self) -> int:
        """Number of batches that training may take: `max_passes` passes."""
        return self._sentences.available_batches

    @property
    def position(self) -> int:
        """Batches that training has received."""
        return self._sentences.position

    def split(self, name: str) -> tuple[TokenStore, npt.NDArray[np.int64]]:
        """Return the store of a split and the numbers of its sentences that take part."""
        return self._sentences.split(name)

    def predict_only(self, shards: list[int]) -> None:
        """Leave out of `rrnn predict` all shards but these."""
        self._sentences.predict_only(shards)

    def train_dataloader(self) -> ResumableLoader:
        """Return the training batches from the current position on."""
        loader = self.sentences.train_dataloader()
        if self.vectors is None:
            return loader
        loading = self.hparams["num_workers"], torch.cuda.is_available()
        batches = self._with_vectors(loader.dataset)
        return make_loader(batches, self.position, self.available_batches, *loading)

    def train_batches(self) -> Dataset[Batch]:
        """Return every training batch by number, with the sentences of all processes."""
        return self._with_vectors(self.sentences.train_batches())

    def _with_vectors(self, batches: Dataset[Batch]) -> Dataset[Batch]:
        if self.vectors is None:
            return batches
        return _WithVectors(batches, self.vectors, self.split("train")[1])

    def val_dataloader(self) -> list[ResumableLoader]:
        """Return the evaluation batches of tune and test, in this order."""
        return self.sentences.val_dataloader()

    def test_dataloader(self) -> ResumableLoader:
        """Return the evaluation batches of holdout."""
        return self.sentences.test_dataloader()

    def predict_dataloader(self) -> ResumableLoader:
        """Return the batches of `predict_split`, shard after shard."""
        return self.sentences.predict_dataloader()

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Move a batch but for its lengths."""
        return self.sentences.transfer_batch_to_device(batch, device, dataloader_idx)

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Count the batches that training receives; runs in the main process."""
        return self.sentences.on_before_batch_transfer(batch, dataloader_idx)

    def state_dict(self) -> dict[str, Any]:
        """Return the position, what it is a position in, and where the vectors come from."""
        folder = None if self.vectors is None else self.vectors.folder
        digest = None if folder is None else file_digest(folder / MANIFEST_FILE)
        return {**self.sentences.state_dict(), "vectors_digest": digest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue at the stored position; an evaluation only needs the same data.

        Raises:
            ValueError: the data differ from the checkpoint's, or, in training, an option that
                fixes the batches.
        """
        now = self.state_dict()["vectors_digest"]
        fits = self.trainer is None or self.trainer.state.fn == "fit"
        if fits and state_dict["vectors_digest"] != now:
            raise ValueError(
                "data.vectors: the checkpoint was written with "
                f"{_what(state_dict['vectors_digest'])}, got {_what(now)} in "
                f"{self.hparams['vectors']}; its rounding would differ"
            )
        self.sentences.load_state_dict(state_dict)


class _WithVectors(Dataset[Batch]):
    """Batches with the stored vectors of their sentences."""

    def __init__(
        self,
        batches: Dataset[Batch],
        vectors: SentenceVectors,
        sentences: npt.NDArray[np.int64],
    ) -> None:
        self._batches = batches
        self._vectors = vectors
        self._sentences = sentences

    def __getitem__(self, batch_number: int) -> VectorBatch:
        batch = self._batches[batch_number]
        rows_B = np.searchsorted(self._sentences, batch["sentence_numbers_B"].numpy())
        return {**batch, "sentence_vector_BS": torch.from_numpy(self._vectors.rows(rows_B))}


def _what(digest: str | None) -> str:
    return "vectors made at once" if digest is None else f"stored vectors {digest[:12]}"
