"""CompressorModule: steps, optimizer and log calls of the compressor (paper section 2.6).

The autoencoder is trained before and frozen here; it is in no checkpoint of the compressor.

Shapes: B sentences, S sentence_vector_size, C compressed size.
"""

from typing import Any

import torch
from torch import Tensor

from rrnn_lit.data.vector_datamodule import SentenceVectorDataModule, VectorBatch
from rrnn_lit.models.compressor import Activation, compressor_of
from rrnn_lit.models.compressor_start import start_from_components
from rrnn_lit.training.compressor_metrics import CompressorMetrics
from rrnn_lit.training.compressor_options import (
    CompressorInitialisation,
    CompressorLoss,
    check_compressor_options,
    check_same_autoencoder,
    check_same_compressor,
)
from rrnn_lit.training.compressor_steps import CompressedOutput, CompressorSteps
from rrnn_lit.training.frozen_autoencoder import FrozenAutoencoder, parts_behind
from rrnn_lit.training.gathering import take_from_first
from rrnn_lit.training.logged_module import LoggedModule
from rrnn_lit.training.module_options import check_same_dictionary
from rrnn_lit.training.monitor import TrainingMonitor
from rrnn_lit.training.optimizer import (
    RoundMoments,
    make_adam,
)
from rrnn_lit.training.split_metrics import VALIDATION_SPLITS
from rrnn_lit.training.tensor_claims import check_shapes
from rrnn_lit.words.counting import loose_classes
from rrnn_lit.words.nearest import NearestWords


class CompressorModule(LoggedModule):
    """Two fully connected layers trained to bring sentence vectors back.

    Args:
        sentence_vector_size: length of a sentence vector; comes from the autoencoder, not from a
            config.
        compressed_size: length of a compressed vector (paper: 3,000 for 10,000).
        activation: `tanh` (paper), `leaky_relu` (author's implementation), or `clip`: linear, and
            cut off at -1 and 1.
        bits: of a component of a compressed vector: 32 is the paper; 16 trains with the fp16 they
            are stored in; 8, 4 and 2 make them integers.
        extra_layers: residual layers before the way down, and as many behind the way up; 0 is the
            paper.
        layer_size: width inside an extra layer; null for the length of a sentence vector.
        init: `sparse`: 15 incoming weights a unit; `dense`: all, of equal row norm; `pca`:
            principal components of training vectors and how to undo them.
        pca_vectors: training vectors that `pca` is computed from.
        feed_forward_scale: standard deviation of the initial weights that are drawn.
        loss: `vector`: half the squared distance of the vectors (paper); `words`: that of the
            words which the frozen decoder makes of them, with match drop.
        match_drop: for `words`: probability that a matched word gets no gradient; 0 disables.
        match_margin: for `words`: cosine by which a word must lead every other to be dropped.
        learning_rate: initial learning rate of ADAM.
        decay: factor on the learning rate after each performed update; 1 disables.
        l2: coupled L2 coefficient on weight matrices; 0 disables.
        beta1: decay of ADAM's first moment, in [0, 1).
        beta2: decay of ADAM's second moment, in [0, 1).
        eps: ADAM's epsilon, outside the root.
        round_moments: `fp16` rounds ADAM's moments after each update; `none` keeps fp32.

    Raises:
        ValueError: an option is out of range.
    """

    words: NearestWords
    metrics: CompressorMetrics
    steps: CompressorSteps

    def __init__(
        self,
        sentence_vector_size: int,
        compressed_size: int,
        activation: Activation,
        bits: int,
        extra_layers: int,
        layer_size: int | None,
        init: CompressorInitialisation,
        pca_vectors: int,
        feed_forward_scale: float,
        loss: CompressorLoss,
        match_drop: float,
        match_margin: float,
        learning_rate: float,
        decay: float,
        l2: float,
        beta1: float,
        beta2: float,
        eps: float,
        round_moments: RoundMoments,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        check_compressor_options(dict(self.hparams))
        self.compressor = compressor_of(dict(self.hparams))
        self.compressor.initialise("sparse" if init == "pca" else init, feed_forward_scale)
        self.monitor = TrainingMonitor()
        self.evaluated_step = -1  # global_step of the last evaluation of tune and test
        self.logged_step = 0
        self._is_restored = False
        self._dictionary_digest = self._autoencoder_digest = ""

    def setup(self, stage: str) -> None:
        """Take autoencoder and dictionary from the data.

        Raises:
            ValueError: the stored vectors are another autoencoder's.
        """
        data = self._data
        dictionary = data.word_vectors
        self._dictionary_digest = data.prepared.dictionary_digest
        frozen = FrozenAutoencoder(parts_behind(data).autoencoder)
        self._autoencoder_digest = frozen.digest
        if data.vectors is not None:
            made_by = data.vectors.manifest["weights_digest"]
            check_same_autoencoder("data.vectors", frozen.digest, made_by)
        self.words = NearestWords(torch.tensor(dictionary.vectors_VW))
        options = dict(self.hparams)
        self.steps = CompressorSteps(self.compressor, frozen, self.words, self.monitor, options)
        self.metrics = CompressorMetrics(
            data.hparams["max_words"],
            loose_classes(dictionary.words),
            dictionary.eos_id,
            dictionary.unk_id,
        )

    @property
    def _data(self) -> SentenceVectorDataModule:
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if not isinstance(data, SentenceVectorDataModule):
            raise ValueError(f"data: wanted a SentenceVectorDataModule, got {type(data).__name__}")
        return data

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return ADAM; its learning rate is set before every update."""
        options = self.hparams
        return make_adam(
            self.compressor.parameters(),
            options["learning_rate"],
            (options["beta1"], options["beta2"]),
            options["eps"],
            options["l2"],
            options["round_moments"],
        )

    def on_fit_start(self) -> None:
        """Begin at principal components, unless a checkpoint was loaded."""
        super().on_fit_start()
        if self.hparams["init"] == "pca" and not self._is_restored:
            start_from_components(self.compressor, self._first_vectors())
            for parameter in self.compressor.parameters():
                take_from_first(parameter.data)

    @torch.no_grad()
    def _first_vectors(self) -> Tensor:
        """Return the vectors of the first batches of the training order, on the host."""
        data = self._data
        batches: Any = data.train_batches()
        blocks: list[Tensor] = []
        missing = int(self.hparams["pca_vectors"])
        for number in range(data.available_batches):
            batch: Any = data.transfer_batch_to_device(batches[number], self.device, 0)
            packing = self.steps.packing(batch)
            with self.trainer.precision_plugin.forward_context():
                blocks.append(self.steps.vectors(batch, packing).cpu()[:missing])
            missing -= len(blocks[-1])
            if not missing:
                break
        return torch.cat(blocks)

    def training_step(self, batch: VectorBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        packing = self.steps.packing(batch)
        loss, dropped = self.steps.loss(batch, packing, self.logs_this_step())
        return self.finish_step(batch, loss, dropped)

    def validation_step(
        self, batch: VectorBatch, batch_idx: int, dataloader_idx: int = 0
    ) -> CompressedOutput:
        """Count a batch of tune or test."""
        return self._count(batch, VALIDATION_SPLITS[dataloader_idx])

    def test_step(self, batch: VectorBatch, batch_idx: int) -> CompressedOutput:
        """Count a batch of holdout."""
        return self._count(batch, "holdout")

    def predict_step(self, batch: VectorBatch, batch_idx: int) -> CompressedOutput:
        """Return compressed vectors of a batch and the words that come back."""
        packing = self.steps.packing(batch)
        return self.steps.reconstruct(batch, packing, self.steps.vectors(batch, packing))

    def _count(self, batch: VectorBatch, split: str) -> CompressedOutput:
        packing = self.steps.packing(batch)
        vectors_BS = self.steps.vectors(batch, packing)
        output = self.steps.reconstruct(batch, packing, vectors_BS)
        if not batch["loss_share"]:
            return output
        if self.metrics.wants_plain(split):
            plain = self.steps.plain(batch, packing, vectors_BS)
            self.metrics.update_plain(split, plain["decoded"])
        error_B = (output["sentence_vector_BS"] - vectors_BS).square().sum(dim=1)
        self.metrics.update(split, output["decoded"], error_B)
        return output

    def on_validation_epoch_end(self) -> None:
        """Log the figures of tune and test."""
        self.evaluated_step = self.global_step
        self.log_figures(self.metrics.take(VALIDATION_SPLITS))
        if self.trainer.sanity_checking:
            self.metrics.forget_plain()

    def on_test_epoch_end(self) -> None:
        """Log the figures of holdout."""
        self.log_figures(self.metrics.take(("holdout",)))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store which dictionary and autoencoder the weights belong to."""
        checkpoint["dictionary_digest"] = self._dictionary_digest
        checkpoint["autoencoder_digest"] = self._autoencoder_digest
        checkpoint["num_sentences"] = self.monitor.num_sentences

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of other sizes or of another autoencoder, and moments of another ADAM.

        Raises:
            ValueError: names the option that differs.
        """
        if "autoencoder_digest" not in checkpoint:
            raise ValueError("ckpt_path: wanted a checkpoint of a compressor, got another one")
        check_same_compressor(checkpoint["hyper_parameters"], dict(self.hparams))
        check_same_dictionary(checkpoint["dictionary_digest"], self._dictionary_digest)
        check_shapes(checkpoint["state_dict"], self.state_dict())
        digest = checkpoint["autoencoder_digest"]
        check_same_autoencoder("data.autoencoder", digest, self._autoencoder_digest)
        self.monitor.num_sentences = checkpoint["num_sentences"]
        self._is_restored = True
