import itertools

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.compressor import Compressor, compressor_of
from rrnn_lit.models.compressor_start import (
    choose_copies,
    start_from_components,
    storing,
)


def vectors(size: int = 12) -> Tensor:
    """Return vectors whose components are correlated and differ in size."""
    mixing_SS = torch.linalg.qr(torch.randn(size, size))[0] * torch.logspace(0, -2, size)
    mixed_NS: Tensor = 0.3 * torch.randn(4000, size) @ mixing_SS.T
    return mixed_NS + torch.randn(size) * 0.1


def started(vectors_NS: Tensor, compressed_size: int, **options: object) -> Compressor:
    compressor = compressor_of(
        {
            "sentence_vector_size": vectors_NS.shape[1],
            "compressed_size": compressed_size,
            "activation": "clip",
            **options,
        }
    )
    compressor.initialise("sparse", 0.1)
    start_from_components(compressor, vectors_NS)
    return compressor


@torch.no_grad()
def squared_error(compressor: Compressor, vectors_NS: Tensor) -> float:
    return float((compressor(vectors_NS) - vectors_NS).square().sum(dim=1).mean())


@pytest.mark.parametrize("size", [1, 5, 11])
def test_no_linear_map_of_that_size_loses_less(size: int) -> None:
    vectors_NS = vectors().double()
    variances_S = torch.linalg.eigvalsh(torch.cov(vectors_NS.T, correction=0))
    lost = float(variances_S[: 12 - size].sum())
    error = squared_error(started(vectors_NS, size), vectors_NS.float())
    # the few values that clip cuts off cost the rest
    assert lost * (1 - 1e-3) <= error <= lost * 1.02 + 1e-6


@pytest.mark.parametrize("activation", ["clip", "tanh"])
def test_as_many_numbers_as_there_are_lose_next_to_nothing(activation: str) -> None:
    vectors_NS = vectors()
    total = float((vectors_NS - vectors_NS.mean(0)).square().sum(dim=1).mean())
    error = squared_error(started(vectors_NS, 12, activation=activation), vectors_NS)
    assert error < 0.01 * total


def test_copies_of_large_components_lower_the_error_of_rounding() -> None:
    vectors_NS = vectors()
    once = squared_error(started(vectors_NS, 12, bits=4), vectors_NS)
    twice = squared_error(started(vectors_NS, 24, bits=4), vectors_NS)
    assert twice < 0.4 * once


def test_fewer_bits_leave_out_small_components() -> None:
    vectors_NS = vectors()
    compressor = started(vectors_NS, 12, bits=4)
    rank = torch.linalg.matrix_rank(compressor.down.weight, rtol=1e-4)
    assert rank < 12


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_copies_are_chosen_as_trying_all_would(size: int) -> None:
    variances = [5.0, 1.0, 0.9, 0.02]

    def error(copies: int) -> float:
        return storing(4, copies)[0]

    def lost(copies: tuple[int, ...]) -> float:
        return sum(v * (error(m) if m else 1) for v, m in zip(variances, copies, strict=True))

    every = [c for c in itertools.product(range(size + 1), repeat=4) if sum(c) == size]
    chosen = choose_copies(variances, size, error)
    assert lost(tuple(chosen)) == pytest.approx(min(map(lost, every)))


def test_without_rounding_the_largest_components_are_stored_once() -> None:
    assert choose_copies([3.0, 2.0, 1.0], 2, lambda m: storing(32, m)[0]) == [1, 1, 0]


@pytest.mark.parametrize(("bits", "copies"), [(2, 1), (4, 1), (4, 3), (8, 1)])
def test_error_of_storing_is_that_of_normal_numbers(bits: int, copies: int) -> None:
    error, limit = storing(bits, copies)
    numbers = torch.randn(400_000, dtype=torch.float64)
    cell = 2 * limit / 2**bits / copies
    rounded = ((numbers / cell).floor() + 0.5) * cell
    measured = float((rounded.clamp(-limit, limit) - numbers).square().mean())
    assert error == pytest.approx(measured, rel=0.08)  # it counts both errors beyond the limit


def test_the_same_vectors_give_the_same_start() -> None:
    vectors_NS = vectors()
    first, second = started(vectors_NS, 6, bits=4), started(vectors_NS, 6, bits=4)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name])
