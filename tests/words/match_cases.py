"""Dictionaries and predictions on which a match is hard to decide."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rrnn_lit.words.integers import int8_is_exact

INT8 = pytest.param(
    torch.int8, marks=pytest.mark.skipif(not int8_is_exact(), reason="needs a CPU with VNNI")
)
FLOAT_DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64]
SCAN_DTYPES = [*FLOAT_DTYPES, INT8]
W = 12
V = 90


def randn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def clustered() -> Tensor:
    return randn(3, W).repeat_interleave(V // 3, dim=0) + 1e-3 * randn(V, W)


def near_ties() -> Tensor:
    """Pairs of words whose cosines with a random vector differ by about 1e-7."""
    words_VW = randn(V // 2, W)
    return torch.cat([words_VW, words_VW + 1e-7 * randn(V // 2, W)])


def duplicates() -> Tensor:
    words_VW = randn(V // 3, W)
    return torch.cat([words_VW, words_VW.flip(0), words_VW])[torch.randperm(V)]


def multiples() -> Tensor:
    words_VW = randn(V // 3, W)
    return torch.cat([words_VW, 4 * words_VW, 0.125 * words_VW])[torch.randperm(V)]


def with_zero_rows() -> Tensor:
    words_VW = randn(V, W)
    words_VW[::3] = 0
    return words_VW


def of_any_norm() -> Tensor:
    return randn(V, W) * 10.0 ** torch.randint(-4, 4, (V, 1))


def of_few_axes() -> Tensor:
    """A third random, the others nearly on one axis, as rare words are."""
    words_VW = randn(1, W) + 0.05 * randn(V, W)
    words_VW[::3] = randn(V // 3, W)
    return words_VW


def opposites() -> Tensor:
    words_VW = randn(V // 2, W)
    return torch.cat([words_VW, -words_VW])


DICTIONARIES: dict[str, Callable[[], Tensor]] = {
    "random": lambda: randn(V, W),
    "clustered": clustered,
    "near ties": near_ties,
    "duplicates": duplicates,
    "multiples": multiples,
    "zero rows": with_zero_rows,
    "any norm": of_any_norm,
    "tiny": lambda: 1e-200 * randn(V, W),
    "huge": lambda: 1e200 * randn(V, W),
    "few axes": of_few_axes,
    "opposites": opposites,
    "stored in 16 bits": lambda: (0.05 * randn(V, W)).half().double(),
}


def predictions_near(words_VW: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions (N, W) from very near to unrelated, scaled at will, and their target words."""
    targets_N = torch.randint(len(words_VW), (80,))
    noise_N1 = torch.tensor([0.0, 1e-6, 0.1, 1.0]).double().repeat(20)[:, None]
    words_NW = words_VW[targets_N]
    size_N1 = words_NW.abs().amax(dim=1, keepdim=True)
    predicted_NW = (words_NW + noise_N1 * size_N1 * randn(80, W)) * 10.0 ** randn(80, 1)
    predicted_NW[40] = 0
    predicted_NW[41, 3] = torch.nan
    predicted_NW[42, 5] = torch.inf
    predicted_NW[43] = -torch.inf
    return predicted_NW, targets_N
