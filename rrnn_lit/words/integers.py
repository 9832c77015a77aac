"""Products of matrices of 8-bit integers on the CPU, and rounding rows to them.

Shapes: R predictions, B blocks, C words of a block, K dimensions.
"""

import math

import torch
from torch import Tensor

_LARGEST_INT8 = 127
_SMALLEST_STEP = 1e-6


def int8_is_exact() -> bool:
    """Whether this processor adds products of 8-bit integers in 32 bits."""
    return bool(torch.backends.mkldnn.is_available() and torch.cpu._is_vnni_supported())


def round_to_int8(rows: Tensor, largest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows as integers, still in float32, their step and what rounding took off.

    Args:
        rows: any rows.
        largest: largest magnitude of each row or of all.
    """
    step = (largest / _LARGEST_INT8).clamp(min=_SMALLEST_STEP)
    rounded = (rows / step).round_()
    return rounded, step, rows - rounded * step


class IntegerProduct:
    """Products of 8-bit matrices in one array that is used again.

    A fresh array of this size costs more page faults than the product costs time.
    """

    def __init__(self) -> None:
        self._scores = torch.empty(0, dtype=torch.int32)

    def __call__(self, query_RK: Tensor, words_BCK: Tensor) -> Tensor:
        """Return int32 (B, R, C), valid until the next call."""
        shape = (len(words_BCK), len(query_RK), words_BCK.shape[1])
        size = math.prod(shape)
        if self._scores.numel() < size:
            # first used in an evaluation it would else be closed to training
            with torch.inference_mode(False):
                self._scores = torch.empty(size, dtype=torch.int32)
        scores_BRC = self._scores[:size].view(shape)
        # one product over several blocks would copy all their words into another layout first
        for scores_RC, words_CK in zip(scores_BRC, words_BCK, strict=True):
            torch._int_mm(query_RK, words_CK.T, out=scores_RC)
        return scores_BRC
