"""Scan in 8-bit integers, on processors that multiply them without saturation (VNNI).

With o, w unit vectors of prediction and word and o', w' the same rounded to multiples of a step
(one step per prediction, one per block of words),

    o.w - o'.w' = (o - o').w' + o.(w - w')
    |o.w - o'.w'| <= |o - o'| |w'| + |w - w'|

o'.w' is an exact integer times both steps, and the norms are measured: per prediction, and as the
largest in a block. What float32 adds in measuring them is below `_SLACK`.

Shapes: N predictions, R predictions in play, W word_dim, K W padded to a multiple of 8,
U directions, B blocks, C words of a block, M words of consecutive blocks.
"""

from functools import cached_property

import torch
from torch import Tensor

from rrnn_lit.words.directions import Directions
from rrnn_lit.words.float_scan import FloatScan
from rrnn_lit.words.integers import IntegerProduct, int8_is_exact, round_to_int8
from rrnn_lit.words.leading_dims import LeadingDims
from rrnn_lit.words.scan import Queries, lowest_score, num_blocks

_SLACK = 1e-5
_PAD = 8


class Int8Scan:
    """Directions as 8-bit integers; a scan in the sense of `scan.Scan`.

    Raises:
        ValueError: the processor has no exact product of 8-bit integers.
    """

    def __init__(self, directions: Directions, block_words: int) -> None:
        device = directions.vectors_VW.device
        if device.type != "cpu" or not int8_is_exact():
            raise ValueError(f"scan_dtype: int8 wants a CPU with VNNI, got {device.type} without")
        self.block_words = block_words
        self.filter = LeadingDims.of(directions, block_words)
        num_words, word_dim = len(directions.word_ids_U), directions.vectors_VW.shape[1]
        everything_U = torch.arange(num_words)
        self.order_U = everything_U if self.filter is None else self.filter.order_U
        self.position_U = torch.argsort(self.order_U)
        self._padding = -word_dim % _PAD
        blocks = range(num_blocks(num_words, block_words))
        self._words_UK = torch.zeros(
            len(blocks) * block_words, word_dim + self._padding, dtype=torch.int8
        )
        self._product = IntegerProduct()
        self._directions = directions
        self._norms_B3 = torch.tensor(
            [self._store(directions, block) for block in blocks], dtype=torch.float64
        ).reshape(-1, 3)

    @cached_property
    def fine(self) -> FloatScan:
        """Directions in float32, made when words first crowd inside the band of 8 bits."""
        with torch.inference_mode(False):
            return FloatScan(self._directions, self.block_words, torch.float32)

    def _store(self, directions: Directions, block: int) -> tuple[float, float, float]:
        """Store a block; return its step, largest |w'| and largest |w - w'|."""
        start = block * self.block_words
        places_C = self.order_U[start : start + self.block_words]
        unit_CW = directions.unit(directions.word_ids_U[places_C]).float()
        rounded_CW, step, error_CW = round_to_int8(unit_CW, unit_CW.abs().max())
        self._words_UK[start : start + len(unit_CW), : unit_CW.shape[1]] = rounded_CW
        size = rounded_CW.norm(dim=1).max() * step
        return float(step), float(size), float(error_CW.norm(dim=1).max())

    def queries(self, unit_NW: Tensor) -> Queries:
        """Return predictions as 8-bit integers."""
        unit_NW = unit_NW.float()
        rounded_NW, step_N1, error_NW = round_to_int8(
            unit_NW, unit_NW.abs().amax(dim=1, keepdim=True)
        )
        query_NK = torch.nn.functional.pad(rounded_NW.to(torch.int8), (0, self._padding))
        error_N1 = error_NW.norm(dim=1, keepdim=True).double()
        step_B, size_B, word_error_B = self._norms_B3.unbind(dim=1)
        band_NB = error_N1 * size_B + word_error_B + _SLACK
        return Queries(query_NK, step_N1.double() * step_B, band_NB)

    def scores(self, query_RK: Tensor, first: int, stop: int) -> Tensor:
        """Return scores (R, B, C) of whole blocks, valid until the next call."""
        words_MK = self._words_UK[first * self.block_words : stop * self.block_words]
        scores_BRC = self._product(query_RK, words_MK.unflatten(0, (-1, self.block_words)))
        behind = stop * self.block_words - len(self.order_U)
        if behind > 0:
            scores_BRC[-1, :, -behind:] = lowest_score(scores_BRC.dtype)
        return scores_BRC.transpose(0, 1)
