"""A small Transformer with one vector between encoder and decoder.

Encoder: words and positions through self-attention, then one learned query attends to all words.
Decoder: the sentence vector at every position, plus the position; a position attends to itself and
those before it, so that, as in a recurrent decoder, a word does not depend on how many follow. It
sees no words and decodes all positions at once.

Two layers each, four heads, feed-forward width 4 H, norm before each part, GELU, positions by
sines; initial weights are torch's own. Sentences are padded inside.

Shapes: B sentences, T words of the longest, N words of all sentences (packed rows), I input size,
H hidden_size.
"""

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from rrnn_lit.models.packing import Packing

NUM_HEADS = 4
_NUM_LAYERS = 2
_LONGEST_WAVE = 10_000  # as in Vaswani et al. 2017


class TransformerReader(nn.Module):
    """Words of a sentence -> one vector; the order of reading has no meaning here.

    Args:
        input_size: I, length of an input vector.
        hidden_size: H, a multiple of NUM_HEADS.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = PositionedInput(input_size, hidden_size)
        self.layers = _layers(hidden_size)
        self.query = nn.Parameter(torch.randn(hidden_size))
        self.pooling = nn.MultiheadAttention(hidden_size, NUM_HEADS, batch_first=True)
        self.deferred = None  # autograd forms the weight gradients

    def read(
        self,
        inputs_NI: Tensor,
        packing: Packing,
        reverse: bool,
        result: Literal["activations"],
    ) -> Tensor:
        """Return one output a sentence, (B, H), by rank.

        Args:
            inputs_NI: packed rows.
            packing: of the rows.
            reverse: of no effect.
            result: all that such a network has.
        """
        num_steps = packing.num_steps
        inside_N = torch.ones(len(inputs_NI), dtype=torch.bool, device=inputs_NI.device)
        beyond_BT = ~packing.unpack(inside_N, num_steps, fill=False)
        embedded_BTH = self.embedding(packing.unpack(inputs_NI, num_steps), num_steps)
        outputs_BTH = self.layers(embedded_BTH, src_key_padding_mask=beyond_BT)
        query_B1H = self.query.expand(len(outputs_BTH), 1, -1)
        pooled_B1H: Tensor = self.pooling(
            query_B1H, outputs_BTH, outputs_BTH, key_padding_mask=beyond_BT, need_weights=False
        )[0]
        return pooled_B1H[packing.order_B, 0]


class TransformerWriter(nn.Module):
    """One vector -> an output for every position.

    Args:
        input_size: I, length of the vector.
        hidden_size: H, a multiple of NUM_HEADS.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = PositionedInput(input_size, hidden_size)
        self.layers = _layers(hidden_size)
        self.deferred = None

    def write(self, inputs_BI: Tensor, packing: Packing, result: Literal["activations"]) -> Tensor:
        """Return the packed outputs (N, H).

        Args:
            inputs_BI: one a sentence, by rank.
            packing: of the rows to write.
            result: all that such a network has.
        """
        num_steps = packing.num_steps
        embedded_BTH = self.embedding(inputs_BI[packing.ranks_B, None], num_steps)
        behind_TT = torch.ones(
            num_steps, num_steps, dtype=torch.bool, device=inputs_BI.device
        ).triu(1)
        return packing.pack(self.layers(embedded_BTH, mask=behind_TT, is_causal=True))


class PositionedInput(nn.Module):
    """A linear layer and norm, so that inputs are as large as positions, plus the positions.

    Args:
        input_size: I.
        hidden_size: H, even.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(input_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size)

    def forward(self, inputs_BTI: Tensor, num_steps: int) -> Tensor:
        """Return (B, T, H) of inputs (B, T, I), or of (B, 1, I) that all T positions share."""
        projected_BTH: Tensor = self.norm(self.linear(inputs_BTI))
        return projected_BTH + waves(num_steps, projected_BTH)

    if TYPE_CHECKING:
        __call__ = forward


def waves(num_steps: int, like: Tensor) -> Tensor:
    """Return sines and cosines of the positions, (T, H).

    Args:
        num_steps: T.
        like: a tensor of the wanted type and device whose last dimension is H.
    """
    half = like.shape[-1] // 2
    rates_F = torch.arange(half, device=like.device) * (-math.log(_LONGEST_WAVE) / half)
    angles_TF = torch.arange(num_steps, device=like.device)[:, None] * rates_F.exp()
    return torch.cat([angles_TF.sin(), angles_TF.cos()], dim=1).to(like.dtype)


def _layers(hidden_size: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        hidden_size,
        NUM_HEADS,
        dim_feedforward=4 * hidden_size,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
    norm = nn.LayerNorm(hidden_size)
    return nn.TransformerEncoder(layer, _NUM_LAYERS, norm, enable_nested_tensor=False)
