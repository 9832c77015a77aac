"""Scan in a floating-point format: processors without 8-bit products, and CUDA without Triton.

With o, w unit vectors of prediction and word and o', w' the same rounded to the format,

    |o.w - o'.w'| <= |o| |w - w'| + |o - o'| |w'|

plus the rounding of the score, plus what float32 adds up wrongly: at most W 2^-24 for unit
vectors in any order of addition, four times that where tensor cores truncate.

Shapes: N predictions, R predictions in play, W word_dim, U directions, B blocks, C words of a
block.
"""

import torch
from torch import Tensor

from rrnn_lit.words.directions import Directions
from rrnn_lit.words.scan import Queries, full_precision, num_blocks


class FloatScan:
    """Directions in a floating-point format; a scan in the sense of `scan.Scan`."""

    filter = None
    fine = None

    def __init__(self, directions: Directions, block_words: int, dtype: torch.dtype) -> None:
        self.block_words = block_words
        self._directions, self._dtype = directions, dtype
        vectors_VW = directions.vectors_VW
        num_words, word_dim = len(directions.word_ids_U), vectors_VW.shape[1]
        self.order_U = torch.arange(num_words, device=vectors_VW.device)
        self.position_U = self.order_U
        self._residual = 0.0
        kept = []
        for block in range(num_blocks(num_words, block_words)):
            unit_CW = directions.unit(self._word_ids(block, block + 1))
            rounded_CW = unit_CW.to(dtype)
            error_C = (unit_CW - rounded_CW.double()).norm(dim=1)
            self._residual = max(self._residual, float(error_C.max()))
            if not vectors_VW.is_cuda:
                kept.append(rounded_CW)
        # a GPU's memory holds the stored words only; its evaluations round them anew
        self._words_UW = torch.cat(kept) if kept else None
        # the largest score is about 1
        self._slack = torch.finfo(dtype).eps + word_dim * 2.0**-22 + 1e-6

    def queries(self, unit_NW: Tensor) -> Queries:
        """Return predictions rounded to the format."""
        query_NW = unit_NW.to(self._dtype)
        error_N1 = (unit_NW - query_NW.double()).norm(dim=1, keepdim=True)
        band_N1 = self._residual + error_N1 * (1 + self._residual) + self._slack
        band_NB = band_N1.expand(-1, num_blocks(len(self.order_U), self.block_words))
        return Queries(query_NW, torch.ones_like(band_NB), band_NB)

    def scores(self, query_RK: Tensor, first: int, stop: int) -> Tensor:
        """Return scores (R, B, C) of whole blocks."""
        words_MW = self._words(first, stop)
        with full_precision(query_RK.device):
            scores_RM = _product(query_RK, words_MW)
        behind = (stop - first) * self.block_words - len(words_MW)
        padded_RM = torch.nn.functional.pad(scores_RM, (0, behind), value=-torch.inf)
        return padded_RM.view(len(query_RK), stop - first, self.block_words)

    def _word_ids(self, first: int, stop: int) -> Tensor:
        return self._directions.word_ids_U[first * self.block_words : stop * self.block_words]

    def _words(self, first: int, stop: int) -> Tensor:
        if self._words_UW is None:
            return self._directions.unit(self._word_ids(first, stop)).to(self._dtype)
        return self._words_UW[first * self.block_words : stop * self.block_words]


def _product(query_RW: Tensor, words_MW: Tensor) -> Tensor:
    if query_RW.is_cuda and query_RW.dtype in (torch.float16, torch.bfloat16):
        # by default cuBLAS may add partial sums in 16 bit, which the error band does not cover
        return torch.mm(query_RW, words_MW.T, out_dtype=torch.float32)
    return torch.mm(query_RW, words_MW.T)
