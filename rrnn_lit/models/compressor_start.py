"""First weights of a compressor from vectors: their principal components, and how to undo them.

With integers every stored component has a rounding error of the same size, whereas the principal
components of sentence vectors differ in size by far. So a large one may be stored several times,
each time shifted by a part of a cell: the mean of `m` such copies has an error `m` times smaller.
Where another copy, or another component, helps most is found step by step.

Shapes: N vectors, S sentence_vector_size, C compressed size, K principal components in use.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor

from rrnn_lit.models.compressor import Compressor
from rrnn_lit.models.quantisation import INTEGER_BITS

_LIMITS = [1.5 + 0.05 * n for n in range(100)]  # in standard deviations, to try
_WIDE_GAIN = 0.25  # of the largest component: tanh is almost straight there
_RIDGE = 1e-6  # of the mean variance


@torch.no_grad()
def start_from_components(compressor: Compressor, vectors_NS: Tensor) -> None:
    """Set the two matrices and biases of a compressor from a block of sentence vectors.

    Down: principal components, each scaled to its range. Up: the linear map that brings these
    vectors back with the least squared error. Extra layers are left alone; they have to be
    identities.

    Args:
        compressor: any activation but leaky ReLU.
        vectors_NS: of training sentences, more than S of them for a good start.
    """
    vectors_NS = vectors_NS.detach().to("cpu", torch.float64)
    mean_S = vectors_NS.mean(dim=0)
    centred_NS = vectors_NS - mean_S
    # ascending; a sign is arbitrary but the same for the same vectors
    variances_S, directions_SS = torch.linalg.eigh(centred_NS.T @ centred_NS / len(vectors_NS))
    variances_S, directions_SS = variances_S.flip(0).clamp(min=0), directions_SS.flip(1)
    bits, size = compressor.shape.bits, compressor.shape.compressed_size
    copies = choose_copies(variances_S.tolist(), size, lambda m: storing(bits, m)[0])
    repeats = torch.tensor(copies, dtype=torch.int64)
    gains_C = _gains(variances_S, copies, bits).repeat_interleave(repeats)
    down_CS = (directions_SS.repeat_interleave(repeats, dim=1) * gains_C).T
    _fill(compressor.down, down_CS, _shifts(copies, bits) - down_CS @ mean_S)
    stored_NC = compressor.activate(compressor.down(vectors_NS.float())).double()
    up_SC, up_S = _least_squares(stored_NC, vectors_NS)
    _fill(compressor.up, up_SC, up_S)


@cache
def storing(bits: int, copies: int) -> tuple[float, float]:
    """Return the mean squared error of a stored component, and where best to cut it off.

    Both for a normal distribution of standard deviation 1: what is beyond the limit is cut off,
    what is inside is rounded.

    Args:
        bits: of a copy; 32 and 16 count as exact.
        copies: how often it is stored, at least 1.
    """
    if bits not in INTEGER_BITS:
        return 0.0, math.inf
    cell = 2.0 / (1 << bits) / copies
    return min((_cut_off(limit) + (cell * limit) ** 2 / 12, limit) for limit in _LIMITS)


def _cut_off(limit: float) -> float:
    """Return the mean squared distance of a normal number from the range -limit to limit."""
    density = math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    return (1 + limit**2) * math.erfc(limit / math.sqrt(2)) - 2 * limit * density


def choose_copies(
    variances: Sequence[float], size: int, error: Callable[[int], float]
) -> list[int]:
    """Return how often to store each component, the sum being `size`.

    Args:
        variances: of the components, falling.
        size: numbers that can be stored.
        error: mean squared error of a component of variance 1 that is stored so often.
    """

    def gain(i: int, copies: int) -> tuple[float, int]:
        before = error(copies) if copies else 1.0
        return -variances[i] * (before - error(copies + 1)), i  # of equal ones the first

    copies = [0] * len(variances)
    heap = [gain(i, 0) for i in range(len(variances))]
    heapq.heapify(heap)
    for _ in range(size):
        _, i = heapq.heappop(heap)
        copies[i] += 1
        heapq.heappush(heap, gain(i, copies[i]))
    return copies


def _gains(variances_S: Tensor, copies: Sequence[int], bits: int) -> Tensor:
    """Return the factor that brings each component into the range -1 to 1."""
    deviations_S = variances_S.sqrt().clamp(min=1e-12)
    if bits not in INTEGER_BITS:
        return torch.full_like(deviations_S, _WIDE_GAIN / float(deviations_S[0]))
    limits = [storing(bits, max(1, m))[1] for m in copies]
    return 1 / (torch.tensor(limits, dtype=torch.float64) * deviations_S)


def _shifts(copies: Sequence[int], bits: int) -> Tensor:
    """Return what is added to each stored component: copy j of m is shifted by j/m of a cell."""
    shifts = [j / m for m in copies for j in range(m)]
    return torch.tensor(shifts, dtype=torch.float64) * (2.0 / (1 << bits))


def _least_squares(inputs_NC: Tensor, outputs_NS: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights (S, C) and bias (S,) of the linear map with the least squared error."""
    inputs_C, outputs_S = inputs_NC.mean(dim=0), outputs_NS.mean(dim=0)
    centred_NC = inputs_NC - inputs_C
    products_CC = centred_NC.T @ centred_NC
    # copies are almost the same number
    products_CC.diagonal().add_(_RIDGE * products_CC.diagonal().mean() + 1e-12)
    up_CS = torch.linalg.solve(products_CC, centred_NC.T @ (outputs_NS - outputs_S))
    return up_CS.T, outputs_S - inputs_C @ up_CS


def _fill(layer: torch.nn.Linear, weight: Tensor, bias: Tensor) -> None:
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
