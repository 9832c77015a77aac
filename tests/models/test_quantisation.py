import pytest
import torch

from rrnn_lit.models.quantisation import bytes_of, dequantise, quantise, round_straight_through

ALL_BYTES = torch.arange(256, dtype=torch.uint8)


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_every_code_comes_back(bits: int) -> None:
    values = dequantise(ALL_BYTES[None], bits)
    assert values.shape == (1, 256 * 8 // bits)
    assert torch.equal(quantise(values, bits), ALL_BYTES[None])
    assert len(values.unique()) == 2**bits


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_error_is_at_most_half_a_cell(bits: int) -> None:
    values_BC = torch.linspace(-1, 1, 20_004, dtype=torch.float64)[None]
    error_BC = (dequantise(quantise(values_BC, bits), bits) - values_BC).abs()
    assert error_BC.max() <= 2.0**-bits + 1e-7  # the sum before the floor is fp32
    assert error_BC.max() > 2.0**-bits * 0.99


def test_hand_values() -> None:
    values_BC = torch.tensor([[-1.0, -0.99, 0.0, 0.124, 0.126, 1.0]])
    assert quantise(values_BC, 8).tolist() == [[0, 1, 128, 143, 144, 255]]
    # 4-bit codes 0, 0, 8, 8, 9, 15; the first of two is in the low half
    assert quantise(values_BC, 4).tolist() == [[0x00, 0x88, 0xF9]]
    assert quantise(torch.tensor([[-1.0, -0.4, 0.1, 0.9]]), 2).tolist() == [[0b11_10_01_00]]
    assert dequantise(torch.tensor([[0xF9]], dtype=torch.uint8), 4).tolist() == [[0.1875, 0.9375]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_what_is_out_of_range_gets_the_code_at_the_end(dtype: torch.dtype) -> None:
    values_BC = torch.tensor([[-3.0, 1.5, -60_000, 60_000]], dtype=dtype)
    assert quantise(values_BC, 8).tolist() == [[0, 255, 0, 255]]
    assert quantise(values_BC, 4).tolist() == [[0xF0, 0xF0]]
    assert quantise(values_BC, 2).tolist() == [[0b11_00_11_00]]


@pytest.mark.parametrize("bits", [32, 16, 8, 4, 2])
def test_gradient_goes_straight_through(bits: int) -> None:
    values_BC = torch.randn(5, 8, requires_grad=True)
    weights_BC = torch.randn(5, 8)
    rounded_BC = round_straight_through(values_BC, bits)
    (rounded_BC * weights_BC).sum().backward()
    assert values_BC.grad is not None
    assert torch.equal(values_BC.grad, weights_BC)
    assert torch.equal(rounded_BC, values_BC) == (bits == 32)


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_rounded_in_training_is_what_is_stored(bits: int) -> None:
    values_BC = torch.rand(50, 8) * 2.4 - 1.2
    stored_BC = dequantise(quantise(values_BC, bits), bits)
    assert torch.equal(round_straight_through(values_BC, bits), stored_BC)
    assert torch.equal(round_straight_through(stored_BC, bits), stored_BC)


def test_sixteen_bits_are_fp16() -> None:
    values_BC = torch.randn(5, 8)
    assert torch.equal(round_straight_through(values_BC, 16), values_BC.half().float())


def test_bytes_of_a_stored_vector() -> None:
    assert [bytes_of(3000, bits) for bits in (32, 16, 8, 4, 2)] == [*(6000, 6000, 3000, 1500, 750)]


def test_what_cannot_be_packed_is_refused() -> None:
    with pytest.raises(ValueError, match="bits: wanted 8, 4 or 2, got 16"):
        quantise(torch.zeros(1, 2), 16)
    with pytest.raises(ValueError, match="bits: wanted 8, 4 or 2, got 3"):
        dequantise(torch.zeros(1, 2, dtype=torch.uint8), 3)
    with pytest.raises(
        ValueError, match="compressed size: wanted a multiple of 2 with 4 bits, got 3"
    ):
        quantise(torch.zeros(1, 3), 4)
