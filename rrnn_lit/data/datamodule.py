"""SentenceDataModule: the splits of a prepared folder as endless, exactly resumable batches."""

from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch

from rrnn_lit.data.batching import BatchOrder
from rrnn_lit.data.function_words import content_words
from rrnn_lit.data.loading import (
    ENDLESS,
    Batch,
    EvaluationBatches,
    ResumableLoader,
    TrainBatches,
    make_loader,
)
from rrnn_lit.data.manifest import DataError
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.shard_batches import ShardBatches
from rrnn_lit.data.token_store import TokenStore
from rrnn_lit.words.vectors import WordVectors

# what fixes the order of the batches: a resumed run must agree in all of it
# counted up when the same options begin to give another order
_ORDER_VERSION = 2
_ORDER_OPTIONS = ("batch_size", "seed", "max_words", "length_buckets", "blank_every")


class SentenceDataModule(pl.LightningDataModule):
    """Batches of word_ids from a folder that `rrnn prepare` wrote.

    Batch k is a function of the seed and k alone. The state in a checkpoint is one number: the
    batches that training has received.

    Args:
        folder: prepared folder, the `--out` of `rrnn prepare`.
        batch_size: sentences per update over all processes (paper: 32).
        max_words: longest sentence that takes part, EOS included; longer ones are left out of all
            splits (paper: 60).
        seed: key of the order of the sentences, any non-negative integer.
        max_passes: passes over the train split that a run may take; the paper repeats nothing (1);
            null for no limit.
        length_buckets: batches in a window that is sorted by length, so that less time goes into
            padding; 0 is the paper's plain random order.
        blank_every: every so many training sentences one content word becomes the label `:X:`
            (author's implementation: 200); 0 disables.
        tune_sentences: evaluate the first so many sentences of the tune split; null for all.
        test_sentences: the same for the test split, whose matched words stop training.
        holdout_sentences: the same for the holdout split, which only `rrnn test` opens.
        eval_batch_size: sentences per evaluation batch; changes speed and memory, no result.
        predict_split: the split that `rrnn predict` writes vectors and words of.
        shard_sentences: sentences in a file that `rrnn predict` writes; it is held in memory and
            is what a prediction that was stopped loses.
        num_workers: processes that load batches; 0 loads in the training process. No result
            depends on it.
        verify: compare every file with its digest before use, about one second a gigabyte.

    Raises:
        ValueError: an option is out of range, or the folder is missing, incomplete or changed.
    """

    def __init__(
        self,
        folder: str,
        batch_size: int,
        max_words: int,
        seed: int,
        max_passes: int | None,
        length_buckets: int,
        blank_every: int,
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
        self._check_options()
        self.prepared = PreparedData(Path(folder), verify)
        self.position = 0
        self._predict_shards: list[int] | None = None  # that `rrnn predict` writes; None: all
        self._stores: dict[str, tuple[TokenStore, npt.NDArray[np.int64]]] = {}
        self._order: BatchOrder | None = None

    def _check_options(self) -> None:
        lowest = {
            "batch_size": 1,
            "max_words": 2,
            "seed": 0,
            "max_passes": 1,
            "length_buckets": 0,
            "blank_every": 0,
            "tune_sentences": 1,
            "test_sentences": 1,
            "holdout_sentences": 1,
            "eval_batch_size": 1,
            "shard_sentences": 1,
            "num_workers": 0,
        }
        for name, least in lowest.items():
            value = self.hparams[name]
            if value is not None and value < least:
                raise ValueError(f"data.{name}: wanted a number of at least {least}, got {value}")

    @property
    def word_vectors(self) -> WordVectors:
        """The dictionary."""
        return self.prepared.word_vectors

    @property
    def word_dim(self) -> int:
        """Length W of a word vector."""
        return self.word_vectors.word_dim

    @property
    def available_batches(self) -> int:
        """Number of batches that training may take: `max_passes` passes."""
        passes = self.hparams["max_passes"]
        return ENDLESS if passes is None else min(ENDLESS, passes * self.order.batches_per_pass)

    @property
    def order(self) -> BatchOrder:
        """The order of the training sentences."""
        if self._order is None:
            store, sentences = self.split("train")
            self._order = BatchOrder(
                store.lengths[sentences],
                self.hparams["batch_size"],
                self.hparams["seed"],
                self.hparams["length_buckets"],
            )
        return self._order

    def split(self, name: str) -> tuple[TokenStore, npt.NDArray[np.int64]]:
        """Return the store of a split and the numbers of its sentences that take part."""
        if name not in self._stores:
            store = self.prepared.store(name)
            sentences = np.flatnonzero(store.lengths <= self.hparams["max_words"])
            limit = None if name == "train" else self.hparams[f"{name}_sentences"]
            if not len(sentences):
                raise DataError(
                    f"{self.hparams['folder']}: wanted {name} sentences of at most "
                    f"{self.hparams['max_words']} words (data.max_words), "
                    f"got none among {store.num_sentences}"
                )
            self._stores[name] = store, sentences[:limit]
        return self._stores[name]

    def train_dataloader(self) -> ResumableLoader:
        """Return the training batches from the current position on."""
        batches = self.train_batches(*self._me())
        return make_loader(batches, self.position, self.available_batches, *self._loading())

    def train_batches(self, rank: int = 0, world_size: int = 1) -> TrainBatches:
        """Return a process's share of every training batch by number; by default all of it."""
        store, sentences = self.split("train")
        every = self.hparams["blank_every"]
        words = self.word_vectors
        blanks = (content_words(words.words), words.blank_id, every, self.hparams["seed"])
        return TrainBatches(
            store, sentences, self.order, blanks if every else None, rank, world_size
        )

    def val_dataloader(self) -> list[ResumableLoader]:
        """Return the evaluation batches of tune and test, in this order."""
        return [self._evaluation("tune"), self._evaluation("test")]

    def test_dataloader(self) -> ResumableLoader:
        """Return the evaluation batches of holdout."""
        return self._evaluation("holdout")

    def predict_only(self, shards: list[int]) -> None:
        """Leave out of `rrnn predict` all shards but these."""
        self._predict_shards = shards

    def predict_dataloader(self) -> ResumableLoader:
        """Return the batches of `predict_split`, shard after shard."""
        store, sentences = self.split(self.hparams["predict_split"])
        size, batch_size = self.hparams["shard_sentences"], self.hparams["eval_batch_size"]
        batches = ShardBatches(store, sentences, size, self._predict_shards, batch_size)
        return make_loader(batches, 0, len(batches), *self._loading())

    def _evaluation(self, split: str) -> ResumableLoader:
        store, sentences = self.split(split)
        batches = EvaluationBatches(store, sentences, self.hparams["eval_batch_size"], *self._me())
        return make_loader(batches, 0, len(batches), *self._loading())

    def _me(self) -> tuple[int, int]:
        trainer = self.trainer
        return (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)

    def _loading(self) -> tuple[int, bool]:
        return self.hparams["num_workers"], torch.cuda.is_available()

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Move a batch but for its lengths: the host cuts it up by them and must not wait."""
        moved: dict[str, Any] = dict(batch)
        lengths_B = moved.pop("lengths_B")
        moved = super().transfer_batch_to_device(moved, device, dataloader_idx)
        complete: Batch = {**moved, "lengths_B": lengths_B}  # type: ignore[typeddict-item]
        return complete

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Count the batches that training receives; runs in the main process."""
        if self.trainer is not None and self.trainer.training:
            self.position = batch["batch_number"] + 1
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Return the position and what it is a position in."""
        return {
            "position": self.position,
            "data_digest": self.prepared.digest,
            "order_version": _ORDER_VERSION,
            **{name: self.hparams[name] for name in _ORDER_OPTIONS},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue at the stored position; an evaluation only needs the same data.

        Raises:
            ValueError: the data differ from the checkpoint's, or, in training, an option that
                fixes the order of the sentences.
        """
        now = self.state_dict()
        if state_dict["data_digest"] != now["data_digest"]:
            raise ValueError(
                f"data.folder: the checkpoint was written with {state_dict['data_digest']}, got "
                f"{now['data_digest']} in {self.hparams['folder']}; these are other data"
            )
        if self.trainer is not None and self.trainer.state.fn != "fit":
            return
        if state_dict.get("order_version") != _ORDER_VERSION:
            raise ValueError(
                f"ckpt_path: wanted sentences in order {_ORDER_VERSION}, got a checkpoint "
                "of an earlier rrnn_lit, which shuffled them otherwise; start a new run"
            )
        for name in _ORDER_OPTIONS:
            if state_dict[name] != now[name]:
                raise ValueError(
                    f"data.{name}: the checkpoint was written with {state_dict[name]}, "
                    f"got {now[name]}; the order of the sentences would differ"
                )
        self.position = state_dict["position"]
