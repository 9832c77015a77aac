"""The trained autoencoder behind a compressor: it makes vectors and reads them, and never changes.

Shapes: B sentences, N words of all sentences, W word_dim, S sentence_vector_size.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.vector_datamodule import SentenceVectorDataModule
from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.models.building import weights_digest
from rrnn_lit.models.packing import Packing
from rrnn_lit.models.weight_gradients import WeightGradients
from rrnn_lit.training.open_run import open_model
from rrnn_lit.words.vectors import WordVectors


class FrozenAutoencoder:
    """An autoencoder without gradients of its own, in evaluation mode.

    No module: it would end in the checkpoints of whatever it is part of, and be trained with it.

    Args:
        autoencoder: the network; it is changed to hold no gradients.
    """

    def __init__(self, autoencoder: SentenceAutoencoder) -> None:
        self.network = autoencoder.eval().requires_grad_(False)
        for layer in autoencoder.modules():
            if isinstance(layer, nn.RNNBase):
                layer.train()  # cuDNN has no way back otherwise; without dropout nothing changes
        self.digest = weights_digest(autoencoder)
        # the hand-written backward passes form weight gradients whoever wants them
        if hasattr(autoencoder, "defer_weight_gradients"):
            autoencoder.defer_weight_gradients(_NoWeightGradients())

    def to(self, device: torch.device) -> None:
        """Move it where the vectors are."""
        self.network.to(device)

    @torch.no_grad()
    def encode(self, word_vectors_NW: Tensor, packing: Packing) -> Tensor:
        """Return sentence_vector_BS, fp32."""
        return self.network.encoder.encode(word_vectors_NW, packing).float()

    def decode(self, sentence_vector_BS: Tensor, packing: Packing) -> Tensor:
        """Return packed predicted_NW, fp32; gradients pass through to the vectors."""
        return self.network.decoder.decode(sentence_vector_BS, packing).float()


class _NoWeightGradients(WeightGradients):
    """Forgets the factors of weight gradients at once."""

    def add(self, weight: Tensor, outer_NO: Tensor, inputs_NI: Tensor) -> None:
        """Keep nothing."""


def parts_behind(data: SentenceVectorDataModule) -> CodecParts:
    """Return the model that `data.autoencoder` names, opened once.

    Raises:
        ValueError: there is none, or it was trained with another dictionary.
    """
    if data.model_parts is None:
        try:
            parts = open_model(Path(data.hparams["autoencoder"]), data=data.prepared.folder)
        except ValueError as error:
            raise ValueError(f"data.autoencoder: {error}") from error
        _check_dictionary(parts.word_vectors, data)
        data.model_parts = parts
    opened: CodecParts = data.model_parts
    return opened


def size_behind(data: SentenceVectorDataModule) -> int:
    """Return the length of the sentence vectors of `data.autoencoder`."""
    return vector_size(parts_behind(data).autoencoder_options)


def vector_size(options: dict[str, Any]) -> int:
    """Return the length of a sentence vector by the options of an autoencoder."""
    return int(options["sentence_vector_size"] or options["hidden_size"])


def _check_dictionary(trained: WordVectors, data: SentenceVectorDataModule) -> None:
    now = data.word_vectors
    is_same = trained.words == now.words and np.array_equal(trained.vectors_VW, now.vectors_VW)
    if not is_same:
        raise ValueError(
            f"data.autoencoder: wanted a model of the dictionary in {data.hparams['folder']}, "
            f"got one of another in {data.hparams['autoencoder']}"
        )
