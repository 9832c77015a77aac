"""Compressor: sentence vectors to shorter ones and back (paper section 2.6).

Shapes: B sentences, S sentence_vector_size, C compressed size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

Activation = Literal["tanh", "leaky_relu"]


@dataclass(frozen=True)
class CompressorShape:
    """Sizes and switches of a Compressor.

    Attributes:
        sentence_vector_size: S, length of a sentence vector.
        compressed_size: C, length of a compressed vector.
        activation: of the compressed vector (decision D-35).
    """

    sentence_vector_size: int
    compressed_size: int
    activation: Activation


class Compressor(nn.Module):
    """Two fully connected layers, `2 S C + S + C` parameters."""

    def __init__(self, shape: CompressorShape) -> None:
        super().__init__()
        self.shape = shape
        self.down = nn.Linear(shape.sentence_vector_size, shape.compressed_size)
        self.up = nn.Linear(shape.compressed_size, shape.sentence_vector_size)

    def compress(self, sentence_vector_BS: Tensor) -> Tensor:
        """Return compressed_BC."""
        values_BC = self.down(sentence_vector_BS)
        if self.shape.activation == "tanh":
            return torch.tanh(values_BC)
        return nn.functional.leaky_relu(values_BC, 0.01)

    def decompress(self, compressed_BC: Tensor) -> Tensor:
        """Return sentence_vector_BS."""
        restored_BS: Tensor = self.up(compressed_BC)
        return restored_BS


def compressor_of(options: Mapping[str, Any]) -> Compressor:
    """Return a compressor of new weights from options by name."""
    return Compressor(
        CompressorShape(
            options["sentence_vector_size"], options["compressed_size"], options["activation"]
        )
    )
