"""AutoencoderModule: steps, optimizer and log calls of the sentence autoencoder.

Shapes: B sentences, T words of the longest, N words of all sentences (packed rows, see
`models/packing.py`), W word_dim, S sentence_vector_size.
"""

from typing import Any

import torch
from torch import Tensor

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.loading import Batch
from rrnn_lit.models.autoencoder import DropoutPosition
from rrnn_lit.models.building import initialised_autoencoder
from rrnn_lit.models.cells import Cell, EncoderOrder
from rrnn_lit.models.initialisation import Initialisation
from rrnn_lit.models.losses import Loss, match_drop_mask, reconstruction_loss
from rrnn_lit.models.packing import Packing
from rrnn_lit.models.recurrence import FirstStep
from rrnn_lit.models.scaling import Scaling
from rrnn_lit.models.weight_gradients import WeightGradients
from rrnn_lit.training.cuda_graphs import RecordedAutoencoder
from rrnn_lit.training.logged_module import LoggedModule
from rrnn_lit.training.module_options import (
    Memory,
    check_memory,
    check_options,
    check_same_dictionary,
    check_same_options,
)
from rrnn_lit.training.monitor import TrainingMonitor
from rrnn_lit.training.optimizer import (
    RoundMoments,
    adam_of,
)
from rrnn_lit.training.reconstruction import EvaluationOutput, look_up, reconstruct
from rrnn_lit.training.sharding import ShardedStrategy, shard_autoencoder
from rrnn_lit.training.split_metrics import VALIDATION_SPLITS, SplitMetrics
from rrnn_lit.training.tensor_claims import check_shapes
from rrnn_lit.words.counting import loose_classes
from rrnn_lit.words.nearest import NearestWords


class AutoencoderModule(LoggedModule):
    """Encoder and decoder trained by squared error with match drop.

    Args:
        word_dim: length of a word vector; comes from the data, not from a config.
        hidden_size: width of encoder and decoder (paper: 10,000).
        sentence_vector_size: length of the sentence vector; null for hidden_size (the paper).
        first_step: `bias_term` or `learned_state`: what stands for the recurrent input of the
            first word (decision D-3).
        dropout: probability of dropping an output unit of encoder or decoder (paper: 0.5); 0
            disables.
        dropout_locked: one dropout mask for all words of a sentence.
        dropout_position: `output` (paper) or `before_tanh` (author's implementation).
        init: `sparse`: 15 incoming weights a unit; `dense`: all, of equal row norm. This and the
            two scales are for the residual cell; other cells start with torch's own weights.
        feed_forward_scale: standard deviation of the initial weights but the recurrent ones.
        recurrent_scale: standard deviation of the initial recurrent weights.
        loss: `squared` (paper) or `cosine` (the paper's negative result).
        match_drop: probability that a matched word gets no gradient; 1 is the paper, 0 disables.
        match_margin: cosine by which a word must lead every other to count as matched in match
            drop; 0 is the paper. Counts of matched words never use it.
        learning_rate: initial learning rate of ADAM.
        decay: factor on the learning rate after each performed update; 1 disables.
        l2: coupled L2 coefficient on weight matrices; 0 disables.
        beta1: decay of ADAM's first moment, in [0, 1).
        beta2: decay of ADAM's second moment, in [0, 1).
        eps: ADAM's epsilon, outside the root.
        round_moments: `fp16` rounds ADAM's moments after each update as the author's program
            stores them; `none` keeps fp32.
        memory: `standard`; or `lean`: each weight gradient lives only while its matrix is
            updated, and with fp16 moments these are stored as such. Same updates, less memory; no
            gradient clipping or accumulation, one device.
        scaling: `none` (paper); or `mup`: initial weights, learning rates and eps are scaled with
            the width, so that values found at a small width stay good at a large one.
        base_size: width at which `mup` equals `none`.
        graph_words: on CUDA, pad sentences to a multiple of so many words and run forward and
            backward from one recorded graph a length, which is faster at small widths; 0 disables.
        cell: `residual` (paper); or a network to compare with, all else being equal: `gru`,
            `lstm`, `tanh` (plain recurrent layers), `transformer` (two layers each side).
        residual: whether the residual cell has its identity path; true is the paper.
        encoder_order: `reversed` (paper): the encoder reads the last word first; or `forward`.
        middle_layer: whether a linear layer and tanh make the sentence vector (paper) or it is the
            encoder's output itself.

    Raises:
        ValueError: an option is out of range.
    """

    words: NearestWords
    metrics: SplitMetrics

    def __init__(
        self,
        word_dim: int,
        hidden_size: int,
        sentence_vector_size: int | None,
        first_step: FirstStep,
        dropout: float,
        dropout_locked: bool,
        dropout_position: DropoutPosition,
        init: Initialisation,
        feed_forward_scale: float,
        recurrent_scale: float,
        loss: Loss,
        match_drop: float,
        match_margin: float,
        learning_rate: float,
        decay: float,
        l2: float,
        beta1: float,
        beta2: float,
        eps: float,
        round_moments: RoundMoments,
        memory: Memory = "standard",
        graph_words: int = 0,
        scaling: Scaling = "none",
        base_size: int = 512,
        cell: Cell = "residual",
        residual: bool = True,
        encoder_order: EncoderOrder = "reversed",
        middle_layer: bool = True,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        check_options(dict(self.hparams))
        self.autoencoder, self._factors = initialised_autoencoder(dict(self.hparams))
        self._deferred: WeightGradients | None = None
        if memory == "lean":
            self._deferred = WeightGradients()
            self.autoencoder.defer_weight_gradients(self._deferred)
        self._recorded = (
            RecordedAutoencoder(self.autoencoder, graph_words) if graph_words else None
        )
        self.monitor = TrainingMonitor()
        self.evaluated_step = -1  # global_step of the last evaluation of tune and test
        self.logged_step = 0
        self._full_batch = 0
        self._dictionary_digest = ""

    def setup(self, stage: str) -> None:
        """Take the dictionary from the data."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if not isinstance(data, SentenceDataModule):
            raise ValueError(f"data: wanted a SentenceDataModule, got {type(data).__name__}")
        dictionary = data.word_vectors
        self._full_batch = data.hparams["batch_size"] // self.trainer.world_size
        self._dictionary_digest = data.prepared.dictionary_digest
        self.words = NearestWords(torch.tensor(dictionary.vectors_VW))
        loose_V = loose_classes(dictionary.words)
        self.metrics = SplitMetrics(
            data.hparams["max_words"], loose_V, dictionary.eos_id, dictionary.unk_id
        )

    def configure_model(self) -> None:
        """Share the weights out over devices where the strategy is to."""
        strategy = self.trainer.strategy
        if isinstance(strategy, ShardedStrategy):
            shard_autoencoder(self.autoencoder, strategy.root_device)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return ADAM; its learning rate is set before every update."""
        check_memory(dict(self.hparams), self.trainer)
        return adam_of(self.autoencoder, dict(self.hparams), self._factors, self._deferred)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch; matched words are dropped from it."""
        word_ids_N, target_NW, predicted_NW, inside_N = self._predict(batch)
        drop, margin = self.hparams["match_drop"], self.hparams["match_margin"]
        matched_N = torch.zeros_like(word_ids_N, dtype=torch.bool)
        if drop:
            matched_N = self._matched(predicted_NW.detach(), word_ids_N, margin)
        dropped_N = match_drop_mask(matched_N, drop)
        counted_N = ~dropped_N if inside_N is None else inside_N & ~dropped_N
        num_words = int(batch["lengths_B"].numpy().sum())
        loss = reconstruction_loss(
            predicted_NW, target_NW, counted_N, len(batch["lengths_B"]), self.hparams["loss"]
        )
        dropped = num_words - counted_N.sum()
        loss = self.finish_step(batch, loss, dropped)
        if self.logs_this_step():
            if margin or not drop:
                matched_N = self._matched(predicted_NW.detach(), word_ids_N, 0.0)
            inside_N = torch.ones_like(matched_N) if inside_N is None else inside_N
            self.monitor.note_matched((matched_N & inside_N).sum(), num_words)
        return loss

    def _predict(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Return word_ids, targets and fp32 predictions of packed rows, and which are words."""
        if self._recorded is not None and len(batch["lengths_B"]) == self._full_batch:
            return self._recorded.predict(batch, self.words)
        packing = Packing.of(batch["lengths_B"], batch["word_ids_BT"].device)
        word_ids_N = packing.pack(batch["word_ids_BT"])
        target_NW = look_up(self.words, word_ids_N)
        predicted_NW = self.autoencoder.reconstruct(target_NW, packing)
        return word_ids_N, target_NW, predicted_NW.float(), None

    def _matched(self, predicted_NW: Tensor, word_ids_N: Tensor, margin: float) -> Tensor:
        with self.monitor.measure_matching(predicted_NW.device):
            return self.words.is_nearest(predicted_NW, word_ids_N, margin)

    def validation_step(
        self, batch: Batch, batch_idx: int, dataloader_idx: int = 0
    ) -> EvaluationOutput:
        """Count a batch of tune or test."""
        return self._count(batch, VALIDATION_SPLITS[dataloader_idx])

    def test_step(self, batch: Batch, batch_idx: int) -> EvaluationOutput:
        """Count a batch of holdout."""
        return self._count(batch, "holdout")

    def predict_step(self, batch: Batch, batch_idx: int) -> EvaluationOutput:
        """Return sentence vectors and decoded words of a batch."""
        return reconstruct(self.autoencoder, self.words, batch)

    def _count(self, batch: Batch, split: str) -> EvaluationOutput:
        output = reconstruct(self.autoencoder, self.words, batch)
        if batch["loss_share"]:
            self.metrics.update(split, output["decoded"])
        return output

    def on_validation_epoch_end(self) -> None:
        """Log the figures of tune and test."""
        self.evaluated_step = self.global_step
        self.log_figures(self.metrics.take(VALIDATION_SPLITS))

    def on_test_epoch_end(self) -> None:
        """Log the figures of holdout."""
        self.log_figures(self.metrics.take(("holdout",)))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store which dictionary the weights belong to."""
        checkpoint["dictionary_digest"] = self._dictionary_digest
        checkpoint["num_sentences"] = self.monitor.num_sentences

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of other sizes or of another dictionary, and moments of another ADAM.

        Raises:
            ValueError: names the option that differs.
        """
        check_same_options(checkpoint["hyper_parameters"], dict(self.hparams))
        check_same_dictionary(checkpoint["dictionary_digest"], self._dictionary_digest)
        check_shapes(checkpoint["state_dict"], self.state_dict())
        self.monitor.num_sentences = checkpoint["num_sentences"]
