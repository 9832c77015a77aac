"""What `rrnn predict` writes: the vectors of a split and the words that come back from them.

Of an autoencoder sentence vectors, of a compressor compressed ones.

Shapes: B sentences, S length of a row.
"""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.sentence_vectors import COMPRESSED_VECTORS, SENTENCE_VECTORS
from rrnn_lit.data.vector_datamodule import SentenceVectorDataModule
from rrnn_lit.models.building import weights_digest
from rrnn_lit.models.quantisation import INTEGER_BITS, quantise
from rrnn_lit.training.completeness import RunCompleteError
from rrnn_lit.training.compressor_module import CompressorModule
from rrnn_lit.training.frozen_autoencoder import vector_size
from rrnn_lit.training.gathering import value_of
from rrnn_lit.training.prediction_shards import PredictionShards
from rrnn_lit.training.samples import Reconstruction, reconstruct_row


class PredictionsCompleteError(RunCompleteError):
    """The same prediction was made before; nothing is left to do."""

    def __init__(self, folder: Path) -> None:
        Exception.__init__(
            self, f"{folder} is complete: the same weights, data and options. Nothing was changed"
        )


class PredictionWriter(Callback):
    """Writes `<run>/predictions/<split>/` shard by shard; see `PredictionShards`.

    Row i of all shards together is the i-th sentence of the split that takes part, and so is line
    i of `reconstructions.jsonl`.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._run = folder
        self._rows: npt.NDArray[Any] | None = None  # of the shard in progress
        self._reconstructions: list[tuple[int, Reconstruction]] = []

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Settle what is to be done; the weights are there, and the batches not yet.

        Raises:
            PredictionsCompleteError: nothing.
        """
        if trainer.state.fn != "predict":
            return
        data: SentenceDataModule | SentenceVectorDataModule = trainer.datamodule  # type: ignore[attr-defined]
        split = data.hparams["predict_split"]
        _, self._sentences = data.split(split)
        facts = {
            **_layout(pl_module),
            "split": split,
            "num_sentences": len(self._sentences),
            "shard_sentences": min(data.hparams["shard_sentences"], len(self._sentences)),
            "max_words": data.hparams["max_words"],
            "data_digest": data.prepared.digest,
            "eval_batch_size": data.hparams["eval_batch_size"],
            "precision": str(trainer.precision),
            "step": int(checkpoint["global_step"]),
        }
        self.shards = PredictionShards(self._run / "predictions" / split, facts)
        if self.shards.state() == "finished":
            raise PredictionsCompleteError(self.shards.folder)
        numbers = self.shards.settle() if trainer.is_global_zero else []
        numbers = value_of(0, numbers)
        # no process without a shard: its last one is then written twice, the same
        own = numbers[trainer.global_rank :: trainer.world_size] or numbers[-1:]
        data.predict_only(own)

    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        *_: Any,
    ) -> None:
        """Take in a batch; write its shard when that is full.

        Raises:
            KeyboardInterrupt: a SIGTERM has come.
        """
        dictionary = trainer.datamodule.word_vectors  # type: ignore[attr-defined]
        numbers = batch["sentence_numbers_B"].tolist()
        places_B = np.searchsorted(self._sentences, numbers)
        shard, first = divmod(int(places_B[0]), self.shards.facts["shard_sentences"])
        first = int(places_B[0]) - first
        vectors = rows_of(outputs, pl_module)
        if self._rows is None:
            self._rows = np.empty((self.shards.sizes[shard], vectors.shape[1]), vectors.dtype)
        self._rows[places_B - first] = vectors
        self._reconstructions += [
            (place, reconstruct_row(outputs, i, number, pl_module.words, dictionary))  # type: ignore[arg-type]
            for i, (place, number) in enumerate(zip(places_B.tolist(), numbers, strict=True))
        ]
        if len(self._reconstructions) == len(self._rows):
            self._reconstructions.sort(key=lambda pair: pair[0])
            self.shards.write(shard, self._rows, [r for _, r in self._reconstructions])
            self._rows, self._reconstructions = None, []
        if trainer.received_sigterm:  # Lightning would go on to the end of the split
            raise KeyboardInterrupt

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Mark the folder as whole."""
        trainer.strategy.barrier()
        if not trainer.is_global_zero:
            return
        self.shards.finish()
        if trainer.progress_bar_callback is not None:
            what = str(self.shards.facts["kind"]).replace("_", " ")
            trainer.progress_bar_callback.print(
                f"wrote {len(self._sentences):,} {what} to {self.shards.folder}"
            )


def rows_of(outputs: Any, module: pl.LightningModule) -> npt.NDArray[Any]:
    """Return what is stored of a predicted batch, (B, S): fp16, or integer codes as uint8."""
    if not isinstance(module, CompressorModule):
        vectors: Tensor = outputs["sentence_vector_BS"].half()
        return np.asarray(vectors.cpu().numpy())
    compressed_BC: Tensor = outputs["compressed_BC"]
    bits = module.compressor.shape.bits
    stored = quantise(compressed_BC, bits) if bits in INTEGER_BITS else compressed_BC.half()
    return np.asarray(stored.cpu().numpy())


def _layout(module: pl.LightningModule) -> dict[str, Any]:
    """Return what the rows are."""
    if not isinstance(module, CompressorModule):
        options, network = dict(module.hparams), module.autoencoder
        assert not isinstance(network, Tensor)
        size = vector_size(options)
        return {
            "kind": SENTENCE_VECTORS,
            "sentence_vector_size": size,
            "row_size": size,
            "dtype": "float16",
            "weights_digest": weights_digest(network),
        }
    shape, is_integer = module.compressor.shape, module.compressor.shape.bits in INTEGER_BITS
    return {
        "kind": COMPRESSED_VECTORS,
        "sentence_vector_size": shape.sentence_vector_size,
        "compressed_size": shape.compressed_size,
        "bits": shape.bits,
        "row_size": module.compressor.bytes_per_vector // (1 if is_integer else 2),
        "dtype": "uint8" if is_integer else "float16",
        "weights_digest": weights_digest(module.compressor),
        "autoencoder_digest": module.steps.frozen.digest,
    }
