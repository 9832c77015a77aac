"""What a compressor's steps compute: vectors, losses, and the words that come back.

Shapes: B sentences, N words of all sentences (packed rows), W word_dim, S sentence_vector_size,
C compressed size.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rrnn_lit.data.vector_datamodule import VectorBatch
from rrnn_lit.models.compressor import Compressor
from rrnn_lit.models.losses import match_drop_mask, reconstruction_loss
from rrnn_lit.models.packing import Packing
from rrnn_lit.training.frozen_autoencoder import FrozenAutoencoder
from rrnn_lit.training.monitor import TrainingMonitor
from rrnn_lit.training.reconstruction import EvaluationOutput, decode_words, look_up
from rrnn_lit.words.nearest import NearestWords


class CompressedOutput(EvaluationOutput):
    """What an evaluation step hands on; the sentence vector in it is the one that came back."""

    compressed_BC: Tensor


class CompressorSteps:
    """Compressor, frozen autoencoder and dictionary at work.

    Args:
        compressor: what is trained.
        frozen: makes and reads sentence vectors.
        words: the dictionary.
        monitor: told the time that matching takes.
        options: of CompressorModule.
    """

    def __init__(
        self,
        compressor: Compressor,
        frozen: FrozenAutoencoder,
        words: NearestWords,
        monitor: TrainingMonitor,
        options: Mapping[str, Any],
    ) -> None:
        self.compressor = compressor
        self.frozen = frozen
        self.words = words
        self.monitor = monitor
        self.options = options

    def packing(self, batch: VectorBatch) -> Packing:
        """Return the packing of a batch; autoencoder and batch are then on one device."""
        device = batch["word_ids_BT"].device
        self.frozen.to(device)
        return Packing.of(batch["lengths_B"], device)

    def vectors(self, batch: VectorBatch, packing: Packing) -> Tensor:
        """Return sentence_vector_BS, fp32: stored ones, or those of the frozen encoder."""
        if "sentence_vector_BS" in batch:
            return batch["sentence_vector_BS"].float()
        word_ids_N = packing.pack(batch["word_ids_BT"])
        return self.frozen.encode(look_up(self.words, word_ids_N), packing)

    def loss(self, batch: VectorBatch, packing: Packing, logs: bool) -> tuple[Tensor, Tensor]:
        """Return the loss of a batch and how many words were dropped from it.

        Args:
            batch: sentences.
            packing: of the batch.
            logs: whether to note the share of matched words.
        """
        sentence_vector_BS = self.vectors(batch, packing)
        restored_BS: Tensor = self.compressor(sentence_vector_BS)
        if self.options["loss"] == "words":
            return self._word_loss(batch, packing, restored_BS, logs)
        if logs:
            with torch.no_grad():
                predicted_NW = self.frozen.decode(restored_BS, packing)
            self._note_matched(predicted_NW, packing.pack(batch["word_ids_BT"]))
        loss = 0.5 * (restored_BS - sentence_vector_BS).square().sum() / len(restored_BS)
        return loss, torch.zeros_like(loss)

    def _word_loss(
        self, batch: VectorBatch, packing: Packing, restored_BS: Tensor, logs: bool
    ) -> tuple[Tensor, Tensor]:
        word_ids_N = packing.pack(batch["word_ids_BT"])
        predicted_NW = self.frozen.decode(restored_BS, packing)
        drop, margin = self.options["match_drop"], self.options["match_margin"]
        matched_N = torch.zeros_like(word_ids_N, dtype=torch.bool)
        if drop:
            matched_N = self._matched(predicted_NW.detach(), word_ids_N, margin)
        dropped_N = match_drop_mask(matched_N, drop)
        if logs:
            self._note_matched(predicted_NW.detach(), word_ids_N)
        target_NW = look_up(self.words, word_ids_N)
        loss = reconstruction_loss(
            predicted_NW, target_NW, ~dropped_N, len(restored_BS), "squared"
        )
        return loss, dropped_N.sum()

    def _matched(self, predicted_NW: Tensor, word_ids_N: Tensor, margin: float) -> Tensor:
        with self.monitor.measure_matching(predicted_NW.device):
            return self.words.is_nearest(predicted_NW, word_ids_N, margin)

    def _note_matched(self, predicted_NW: Tensor, word_ids_N: Tensor) -> None:
        matched_N = self._matched(predicted_NW, word_ids_N, 0.0)
        self.monitor.note_matched(matched_N.sum(), len(matched_N))

    def plain(self, batch: VectorBatch, packing: Packing, vectors_BS: Tensor) -> EvaluationOutput:
        """Return the words that come back without the compressor."""
        return decode_words(self.frozen.network, self.words, batch, packing, vectors_BS)

    def reconstruct(
        self, batch: VectorBatch, packing: Packing, vectors_BS: Tensor
    ) -> CompressedOutput:
        """Return compressed vectors and the words that come back through them."""
        compressed_BC = self.compressor.compress(vectors_BS)
        restored_BS = self.compressor.decompress(compressed_BC)
        output = decode_words(self.frozen.network, self.words, batch, packing, restored_BS)
        return {**output, "compressed_BC": compressed_BC}
