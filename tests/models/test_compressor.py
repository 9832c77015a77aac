from typing import Any

import pytest
import torch

from rrnn_lit.models.compressor import Compressor, CompressorShape, compressor_of
from rrnn_lit.models.quantisation import dequantise, quantise

PAPER: dict[str, Any] = {
    "sentence_vector_size": 10_000,
    "compressed_size": 3_000,
    "activation": "tanh",
}
SMALL: dict[str, Any] = {**PAPER, "sentence_vector_size": 6, "compressed_size": 4}


def small(**options: Any) -> Compressor:
    compressor = compressor_of({**SMALL, **options})
    compressor.initialise("dense", 1.0)
    return compressor


def test_the_papers_parameter_count() -> None:
    with torch.device("meta"):
        compressor = compressor_of(PAPER)
    assert sum(p.numel() for p in compressor.parameters()) == 60_013_000
    assert compressor.bytes_per_vector == 6_000
    names = {"down.weight", "down.bias", "up.weight", "up.bias"}
    assert set(compressor.state_dict()) == names


@pytest.mark.parametrize(
    ("activation", "inner"),
    [
        ("tanh", lambda x: torch.tanh(x)),
        ("leaky_relu", lambda x: torch.where(x > 0, x, 0.01 * x)),
        ("clip", lambda x: x.clamp(-1, 1)),
    ],
)
def test_equals_two_layers_by_hand(activation: str, inner: Any) -> None:
    compressor = small(activation=activation)
    torch.nn.init.normal_(compressor.down.bias)
    torch.nn.init.normal_(compressor.up.bias)
    vectors_BS = torch.randn(3, 6)
    down_CS, up_SC = compressor.down.weight, compressor.up.weight
    compressed_BC = inner(vectors_BS @ down_CS.T + compressor.down.bias)
    torch.testing.assert_close(compressor.compress(vectors_BS), compressed_BC)
    restored_BS = compressed_BC @ up_SC.T + compressor.up.bias
    torch.testing.assert_close(compressor(vectors_BS), restored_BS)


@pytest.mark.parametrize("activation", ["tanh", "clip"])
@pytest.mark.parametrize("bits", [8, 4, 2])
def test_integers_hold_compressed_vectors_exactly(activation: str, bits: int) -> None:
    compressor = small(activation=activation, bits=bits)
    with torch.autocast("cpu", torch.bfloat16):
        compressed_BC = compressor.compress(torch.randn(40, 6))
    assert compressed_BC.dtype == torch.float32
    codes = quantise(compressed_BC, bits)
    assert torch.equal(dequantise(codes, bits), compressed_BC)
    assert codes.shape[1] * codes.element_size() == compressor.bytes_per_vector


def test_gradient_through_rounding_is_that_of_the_activation() -> None:
    compressor = small(bits=4)
    vectors_BS = torch.randn(7, 6)
    compressor.compress(vectors_BS).sum().backward()
    slope_BC = 1 - torch.tanh(compressor.project(vectors_BS)).square()
    assert compressor.down.weight.grad is not None
    torch.testing.assert_close(compressor.down.weight.grad, slope_BC.T @ vectors_BS)


def test_extra_layers_begin_as_identities_and_learn() -> None:
    plain, deep = small(), small(extra_layers=2, layer_size=5)
    loaded = deep.load_state_dict(plain.state_dict(), strict=False)
    assert loaded.unexpected_keys == []
    assert {name.split(".")[0] for name in loaded.missing_keys} == {"before", "behind"}
    vectors_BS = torch.randn(3, 6)
    torch.testing.assert_close(deep(vectors_BS), plain(vectors_BS))
    deep(vectors_BS).square().sum().backward()
    changed = [name for name, p in deep.named_parameters() if p.grad is not None and p.grad.any()]
    assert {"before.0.outer.weight", "behind.1.outer.bias"} <= set(changed)
    assert sum(p.numel() for p in deep.parameters()) == (
        sum(p.numel() for p in plain.parameters()) + 4 * (2 * 6 * 5 + 6 + 5)
    )


def test_sparse_weights_are_the_autoencoders() -> None:
    compressor = compressor_of({**PAPER, "sentence_vector_size": 64, "compressed_size": 20})
    compressor.initialise("sparse", 0.1)
    for layer in (compressor.down, compressor.up):
        assert ((layer.weight != 0).sum(dim=1) == 15).all()
        assert not layer.bias.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compressed_size": 0}, "model.compressed_size: wanted a number of at least 1, got 0"),
        ({"extra_layers": -1}, "model.extra_layers: wanted a number of at least 0, got -1"),
        ({"layer_size": 0}, "model.layer_size: wanted a number of at least 1, got 0"),
        ({"activation": "relu"}, "model.activation: wanted tanh, leaky_relu or clip, got 'relu'"),
        ({"bits": 5}, "model.bits: wanted 32, 16, 8, 4 or 2, got 5"),
        ({"bits": 8, "activation": "leaky_relu"}, "model.bits: wanted 32 or 16 with"),
        ({"bits": 4, "compressed_size": 3}, "model.compressed_size: wanted a multiple of 2"),
    ],
)
def test_a_bad_option_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CompressorShape(**{**SMALL, **options})


def test_a_missing_option_is_refused_and_an_unknown_one_left_aside() -> None:
    compressor_of({**SMALL, "learning_rate": 1.0})
    with pytest.raises(ValueError, match="model.activation: wanted a value, got none"):
        compressor_of({"sentence_vector_size": 6, "compressed_size": 4})
