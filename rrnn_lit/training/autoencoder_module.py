"""AutoencoderModule: steps, optimizer and log calls of the sentence autoencoder.

Shapes: B sentences, T words, W word_dim, S sentence_vector_size, N words inside the sentences.
"""

from typing import Any, TypedDict

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.loading import Batch
from rrnn_lit.models.autoencoder import (
    AutoencoderShape,
    DropoutPosition,
    SentenceAutoencoder,
    valid_positions,
)
from rrnn_lit.models.initialisation import Initialisation
from rrnn_lit.models.losses import Loss, match_drop_mask, reconstruction_loss
from rrnn_lit.models.residual_rnn import FirstStep
from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.matched_words import MatchedWords
from rrnn_lit.training.module_options import check_options
from rrnn_lit.training.monitor import TrainingMonitor
from rrnn_lit.training.optimizer import (
    RoundMoments,
    count_updates,
    learning_rate_after,
    make_adam,
    round_moments,
    set_learning_rate,
)
from rrnn_lit.training.precision import loss_scaler
from rrnn_lit.words.counting import Decoded, loose_classes
from rrnn_lit.words.nearest import NearestWords

VALIDATION_SPLITS = ("tune", "test")
_SHAPE_OPTIONS = ("word_dim", "hidden_size", "sentence_vector_size", "first_step")
_ADAM_OPTIONS = ("l2", "beta1", "beta2", "eps")


class EvaluationOutput(TypedDict):
    """What an evaluation step hands to callbacks: the counts' input and the raw predictions."""

    decoded: Decoded
    predicted_BTW: Tensor
    sentence_vector_BS: Tensor


class AutoencoderModule(pl.LightningModule):
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
        init: `sparse`: 15 incoming weights a unit; `dense`: all, of equal row norm.
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

    Raises:
        ValueError: an option is out of range.
    """

    words: NearestWords
    metrics: nn.ModuleDict

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
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        check_options(dict(self.hparams))
        self.autoencoder = SentenceAutoencoder(
            AutoencoderShape(
                word_dim,
                hidden_size,
                sentence_vector_size,
                first_step,
                dropout,
                dropout_locked,
                dropout_position,
            )
        )
        self.autoencoder.initialise(init, feed_forward_scale, recurrent_scale)
        self.monitor = TrainingMonitor()
        self.by_length: dict[str, dict[str, list[int]]] = {}
        self.evaluated_step = -1  # global_step of the last evaluation of tune and test
        self._logged_step = 0
        self._matched_word_rate = torch.tensor(torch.nan)
        self._dictionary_digest = ""

    def setup(self, stage: str) -> None:
        """Take the dictionary from the data."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if not isinstance(data, SentenceDataModule):
            raise ValueError(f"data: wanted a SentenceDataModule, got {type(data).__name__}")
        dictionary = data.word_vectors
        self._dictionary_digest = data.prepared.dictionary_digest
        self.words = NearestWords(torch.tensor(dictionary.vectors_VW))
        loose_V = loose_classes(dictionary.words)
        arguments = (data.hparams["max_words"], loose_V, dictionary.eos_id, dictionary.unk_id)
        splits = (*VALIDATION_SPLITS, "holdout")
        self.metrics = nn.ModuleDict({split: MatchedWords(*arguments) for split in splits})

    @property
    def _log_every(self) -> int:
        return int(self.trainer.log_every_n_steps)  # type: ignore[attr-defined]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return ADAM; its learning rate is set before every update."""
        options = self.hparams
        optimizer = make_adam(
            self.parameters(),
            options["learning_rate"],
            (options["beta1"], options["beta2"]),
            options["eps"],
            options["l2"],
        )
        if options["round_moments"] == "fp16":
            optimizer.register_step_post_hook(round_moments)
        return optimizer

    def look_up(self, word_ids_BT: Tensor) -> Tensor:
        """Return the fp32 word vectors of word_ids."""
        return self.words.vectors_VW[word_ids_BT].float()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch; matched words are dropped from it."""
        word_ids_BT, lengths_B = batch["word_ids_BT"], batch["lengths_B"]
        target_BTW = self.look_up(word_ids_BT)
        valid_BT = valid_positions(lengths_B, word_ids_BT.shape[1])
        predicted_BTW = self.autoencoder(target_BTW, lengths_B).float()
        dropped_BT = self._dropped(predicted_BTW.detach(), word_ids_BT, valid_BT)
        loss = reconstruction_loss(
            predicted_BTW, target_BTW, valid_BT & ~dropped_BT, self.hparams["loss"]
        )
        num_sentences = len(lengths_B) * self.trainer.world_size
        self.monitor.add_step(num_sentences, loss.detach(), valid_BT.sum(), dropped_BT.sum())
        if self._logs_this_step():
            matched_BT = self._matched(predicted_BTW.detach(), word_ids_BT, valid_BT, 0.0)
            self._matched_word_rate = matched_BT.sum() / valid_BT.sum()
        return loss

    def _dropped(self, predicted_BTW: Tensor, word_ids_BT: Tensor, valid_BT: Tensor) -> Tensor:
        """Return the words that match drop takes out of the loss, bool (B, T)."""
        if self.hparams["match_drop"] == 0:
            return torch.zeros_like(valid_BT)
        margin = self.hparams["match_margin"]
        matched_BT = self._matched(predicted_BTW, word_ids_BT, valid_BT, margin)
        return match_drop_mask(matched_BT, self.hparams["match_drop"])

    def _matched(
        self, predicted_BTW: Tensor, word_ids_BT: Tensor, valid_BT: Tensor, margin: float
    ) -> Tensor:
        """Return bool (B, T), False beyond the sentences."""
        matched_BT = torch.zeros_like(valid_BT)
        with self.monitor.measure_matching(valid_BT.device):
            matched_BT[valid_BT] = self.words.is_nearest(
                predicted_BTW[valid_BT], word_ids_BT[valid_BT], margin
            )
        return matched_BT

    def _logs_this_step(self) -> bool:
        """Whether the step in progress ends with a log line; in it global_step is one behind."""
        return (self.global_step + 1) % self._log_every == 0

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the learning rate by performed updates; note the gradient norm when it is logged."""
        learning_rate = learning_rate_after(
            count_updates(optimizer), self.hparams["learning_rate"], self.hparams["decay"]
        )
        set_learning_rate(optimizer, learning_rate)
        if self._logs_this_step():
            gradients = [p.grad for p in self.parameters() if p.grad is not None]
            self.monitor.gradient_norm = torch.nn.utils.get_total_norm(gradients)

    def on_train_start(self) -> None:
        """Start the clock of the first interval."""
        self._logged_step = self.global_step
        self.monitor.start()

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Log the figures of the interval every `trainer.log_every_n_steps` steps."""
        # with gradient accumulation several batches end at the same step
        if self.global_step % self._log_every or self.global_step == self._logged_step:
            return
        self._logged_step = self.global_step
        optimizer = self.trainer.optimizers[0]
        num_updates = count_updates(optimizer)
        figures = {
            **self.monitor.take(),
            keys.TRAIN_MATCHED_WORD_RATE: float(self._matched_word_rate),
            keys.LEARNING_RATE: float(optimizer.param_groups[0]["lr"]),
            keys.NUM_UPDATES: float(num_updates),
        }
        scaler = loss_scaler(self.trainer)
        if scaler is not None:
            figures[keys.LOSS_SCALE] = scaler.get_scale()
            figures[keys.SKIPPED_STEPS] = float(self.global_step - num_updates)
        self._log(figures)

    def _log(self, figures: dict[str, float]) -> None:
        """Log at the number of steps done; Lightning's own step is one behind in evaluations."""
        self.log_dict(figures, logger=False)
        for logger in self.loggers:
            logger.log_metrics(figures, step=self.global_step)

    def validation_step(
        self, batch: Batch, batch_idx: int, dataloader_idx: int = 0
    ) -> EvaluationOutput:
        """Count a batch of tune or test."""
        return self._evaluate(batch, VALIDATION_SPLITS[dataloader_idx])

    def test_step(self, batch: Batch, batch_idx: int) -> EvaluationOutput:
        """Count a batch of holdout."""
        return self._evaluate(batch, "holdout")

    def predict_step(self, batch: Batch, batch_idx: int) -> EvaluationOutput:
        """Return sentence vectors and decoded words of a batch."""
        return self._reconstruct(batch)

    def _evaluate(self, batch: Batch, split: str) -> EvaluationOutput:
        output = self._reconstruct(batch)
        self._metric(split).update(output["decoded"])
        return output

    def _reconstruct(self, batch: Batch) -> EvaluationOutput:
        word_ids_BT, lengths_B = batch["word_ids_BT"], batch["lengths_B"]
        num_steps = word_ids_BT.shape[1]
        sentence_vector_BS = self.autoencoder.encoder(self.look_up(word_ids_BT), lengths_B)
        predicted_BTW = self.autoencoder.decoder(sentence_vector_BS, num_steps).float()
        valid_BT = valid_positions(lengths_B, num_steps)
        decoded_BT = torch.full_like(word_ids_BT, -1)
        decoded_BT[valid_BT] = self.words.nearest_word_ids(predicted_BTW[valid_BT])
        matched_BT = torch.zeros_like(valid_BT)
        matched_BT[valid_BT] = self.words.is_nearest(
            predicted_BTW[valid_BT], word_ids_BT[valid_BT]
        )
        decoded = Decoded(word_ids_BT, decoded_BT, matched_BT, lengths_B)
        return EvaluationOutput(
            decoded=decoded,
            predicted_BTW=predicted_BTW,
            sentence_vector_BS=sentence_vector_BS.float(),
        )

    def _metric(self, split: str) -> MatchedWords:
        metric = self.metrics[split]
        assert isinstance(metric, MatchedWords)
        return metric

    def on_validation_start(self) -> None:
        """Keep evaluation out of the speed of training."""
        self.monitor.pause()

    def on_validation_epoch_end(self) -> None:
        """Log the figures of tune and test."""
        self.evaluated_step = self.global_step
        self._log_splits(VALIDATION_SPLITS)

    def on_validation_end(self) -> None:
        """Restart the clock of training."""
        self.monitor.resume()

    def on_test_epoch_end(self) -> None:
        """Log the figures of holdout."""
        self._log_splits(("holdout",))

    def _log_splits(self, splits: tuple[str, ...]) -> None:
        figures: dict[str, float] = {}
        for split in splits:
            metric = self._metric(split)
            for name, value in metric.compute().items():
                figures[keys.split_key(split, name)] = float(value)
            self.by_length[split] = metric.compute_by_length()
            metric.reset()
        # kept as float32: exact up to 16,777,216, and the author's largest evaluation has 8 M
        self._log(figures)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store which dictionary the weights belong to."""
        checkpoint["dictionary_digest"] = self._dictionary_digest
        checkpoint["num_sentences"] = self.monitor.num_sentences

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of other sizes or of another dictionary, and moments of another ADAM.

        ADAM's options come back with its state, so that another value would silently not count.

        Raises:
            ValueError: names the option that differs.
        """
        for name in (*_SHAPE_OPTIONS, *_ADAM_OPTIONS):
            then, now = checkpoint["hyper_parameters"][name], self.hparams[name]
            if then != now:
                raise ValueError(f"model.{name}: the checkpoint has {then}, the config {now}")
        then = checkpoint["dictionary_digest"]
        if self._dictionary_digest and then != self._dictionary_digest:
            raise ValueError(
                "data.folder: the checkpoint was trained with another dictionary, "
                f"digest {then[:12]}, not {self._dictionary_digest[:12]}"
            )
        self.monitor.num_sentences = checkpoint["num_sentences"]
