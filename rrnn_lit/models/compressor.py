"""Compressor: sentence vectors to shorter ones and back (paper section 2.6).

    c = f(W_down s + b_down),    s' = W_up c + b_up,    f = tanh, leaky ReLU or clip

Beyond the paper, both off by default: `c` rounded to few bits (`models/quantisation.py`), and
layers `v + W_2 tanh(W_1 v + b_1) + b_2` before the way down and behind the way up.

Shapes: B sentences, S sentence_vector_size, C compressed size, L layer_size.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rrnn_lit.models.initialisation import Initialisation, initialise_weight
from rrnn_lit.models.quantisation import BITS, INTEGER_BITS, bytes_of, round_straight_through

Activation = Literal["tanh", "leaky_relu", "clip"]
LEAKY_SLOPE = 0.01  # author's implementation, decision D-35


@dataclass(frozen=True)
class CompressorShape:
    """Sizes and switches of a Compressor.

    Attributes:
        sentence_vector_size: S, length of a sentence vector.
        compressed_size: C, length of a compressed vector (paper: 3,000 for 10,000).
        activation: of the compressed vector: `tanh` (paper) or `leaky_relu` (author's
            implementation), decision D-35; `clip` is linear and ends at -1 and 1, which loses
            less than the bends of tanh where few bits make errors large.
        bits: of a component of the compressed vector: 8, 4 and 2 are integers, for tanh and clip;
            16 is rounded to fp16, as compressed vectors are stored; 32 leaves the rounding to
            whoever stores it (paper).
        extra_layers: residual layers before the way down, and as many behind the way up; 0 is the
            paper.
        layer_size: L, width inside an extra layer; None means S.
    """

    sentence_vector_size: int
    compressed_size: int
    activation: Activation
    bits: int = 32
    extra_layers: int = 0
    layer_size: int | None = None

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        for name, least in (("compressed_size", 1), ("extra_layers", 0), ("layer_size", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"model.{name}: wanted a number of at least {least}, got {value}")
        if self.activation not in get_args(Activation):
            raise ValueError(
                f"model.activation: wanted tanh, leaky_relu or clip, got {self.activation!r}"
            )
        if self.bits not in BITS:
            raise ValueError(f"model.bits: wanted 32, 16, 8, 4 or 2, got {self.bits}")
        if self.bits in INTEGER_BITS and self.activation == "leaky_relu":
            raise ValueError(
                f"model.bits: wanted 32 or 16 with model.activation {self.activation}, whose "
                f"values have no fixed range, got {self.bits}"
            )
        in_a_byte = 8 // self.bits if self.bits in INTEGER_BITS else 1
        if self.compressed_size % in_a_byte:
            raise ValueError(
                f"model.compressed_size: wanted a multiple of {in_a_byte} with model.bits "
                f"{self.bits}, got {self.compressed_size}"
            )


class Compressor(nn.Module):
    """Two fully connected layers, `2 S C + S + C` parameters, and extra ones on request."""

    def __init__(self, shape: CompressorShape) -> None:
        super().__init__()
        self.shape = shape
        size = shape.sentence_vector_size
        self.before = _residual_layers(shape)
        self.down = nn.Linear(size, shape.compressed_size)
        self.up = nn.Linear(shape.compressed_size, size)
        self.behind = _residual_layers(shape)

    @property
    def bytes_per_vector(self) -> int:
        """Bytes of a stored compressed vector: integers as such, everything else as fp16."""
        return bytes_of(self.shape.compressed_size, self.shape.bits)

    def initialise(self, kind: Initialisation, scale: float) -> None:
        """Draw all weights anew from torch's global generator; all biases become 0.

        An extra layer begins as the identity: its outer matrix is 0.

        Args:
            kind: see `initialise_weight`.
            scale: of all weights that are drawn.
        """
        for name, parameter in self.named_parameters():
            if parameter.dim() == 1 or name.endswith("outer.weight"):
                nn.init.zeros_(parameter)
            else:
                initialise_weight(parameter, kind, scale)

    def project(self, sentence_vector_BS: Tensor) -> Tensor:
        """Return the compressed vectors before their activation, fp32 (B, C)."""
        projected_BC: Tensor = self.down(self.before(sentence_vector_BS))
        return projected_BC.float()

    def compress(self, sentence_vector_BS: Tensor) -> Tensor:
        """Return compressed_BC, fp32, rounded to `bits`; from -1 to 1 but with leaky ReLU.

        Rounding is exact: with integers, `dequantise(quantise(c))` is `c` bit for bit.
        """
        return self.activate(self.project(sentence_vector_BS))

    def activate(self, projected_BC: Tensor) -> Tensor:
        """Return compressed_BC of what `project` returned."""
        if self.shape.activation == "tanh":
            activated_BC = torch.tanh(projected_BC)
        elif self.shape.activation == "clip":
            activated_BC = projected_BC.clamp(-1, 1)
        else:
            activated_BC = F.leaky_relu(projected_BC, LEAKY_SLOPE)
        return round_straight_through(activated_BC, self.shape.bits)

    def decompress(self, compressed_BC: Tensor) -> Tensor:
        """Return sentence_vector_BS, fp32; no activation on it (paper section 2.6)."""
        restored_BS: Tensor = self.behind(self.up(compressed_BC))
        return restored_BS.float()

    def forward(self, sentence_vector_BS: Tensor) -> Tensor:
        """Return sentence_vector_BS as it comes back."""
        return self.decompress(self.compress(sentence_vector_BS))

    if TYPE_CHECKING:
        __call__ = forward


class _ResidualLayer(nn.Module):
    """`v + W_2 tanh(W_1 v + b_1) + b_2`."""

    def __init__(self, size: int, layer_size: int) -> None:
        super().__init__()
        self.inner = nn.Linear(size, layer_size)
        self.outer = nn.Linear(layer_size, size)

    def forward(self, vectors_BS: Tensor) -> Tensor:
        # the sum in fp32: small changes of a vector would be lost in 16 bit
        change_BS: Tensor = self.outer(torch.tanh(self.inner(vectors_BS)))
        return vectors_BS.float() + change_BS.float()


def _residual_layers(shape: CompressorShape) -> nn.Sequential:
    size = shape.sentence_vector_size
    width = shape.layer_size or size
    return nn.Sequential(*(_ResidualLayer(size, width) for _ in range(shape.extra_layers)))


def compressor_of(options: Mapping[str, Any]) -> Compressor:
    """Return a compressor of new weights from options by name.

    Args:
        options: those that do not shape the network are left aside.

    Raises:
        ValueError: an option is missing or out of range.
    """
    needed = [field.name for field in fields(CompressorShape) if field.default is MISSING]
    missing = [name for name in needed if name not in options]
    if missing:
        raise ValueError(f"model.{missing[0]}: wanted a value, got none")
    known = {
        field.name: options[field.name]
        for field in fields(CompressorShape)
        if field.name in options
    }
    return Compressor(CompressorShape(**known))
