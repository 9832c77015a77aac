"""Rounding of compressed vectors to 16, 8, 4 or 2 bits a component.

The range is that of tanh and clip, -1 to 1, so that no scale has to be stored: `2^bits` equal
cells, and a code stands for the middle of its cell. Code k of 8 bits is `(2 k + 1) / 256 - 1`.

Shapes: B sentences, C compressed size.
"""

from typing import Literal, get_args

import torch
from torch import Tensor

Bits = Literal[32, 16, 8, 4, 2]
BITS: tuple[int, ...] = get_args(Bits)
INTEGER_BITS = (8, 4, 2)


def quantise(values_BC: Tensor, bits: int) -> Tensor:
    """Return the codes of values as uint8: (B, C) for 8 bits, (B, C / 2) for 4, (B, C / 4) for 2.

    A value is off from its code's by at most `2^-bits`; beyond that range it gets the code at
    the end. Of the codes in a byte the first is in the lowest bits.

    Args:
        values_BC: finite, any floating dtype.
        bits: 8, 4 or 2.

    Raises:
        ValueError: another number of bits, or C codes do not fill their bytes.
    """
    _check(bits, values_BC.shape[-1])
    in_a_byte = 8 // bits
    codes_BC = _codes(values_BC, bits).to(torch.uint8)
    parts = codes_BC.unflatten(-1, (-1, in_a_byte))
    packed: Tensor = parts[..., 0]
    for place in range(1, in_a_byte):
        packed = packed | parts[..., place] << place * bits
    return packed


def dequantise(codes: Tensor, bits: int) -> Tensor:
    """Return the values, fp32 (B, C), of what `quantise` returned.

    Raises:
        ValueError: a number of bits other than 8, 4 or 2.
    """
    _check(bits, 0)
    mask = (1 << bits) - 1
    parts = [codes >> shift & mask for shift in range(0, 8, bits)]
    return _values(torch.stack(parts, dim=-1).flatten(-2).float(), bits)


def round_straight_through(values_BC: Tensor, bits: int) -> Tensor:
    """Return values rounded as they are stored, with the gradient of the unrounded ones.

    Args:
        values_BC: fp32.
        bits: 8, 4, 2: the values that `dequantise` returns; 16: those of fp16; 32: unchanged.
    """
    if bits == 32:
        return values_BC
    with torch.no_grad():
        rounded_BC = (
            values_BC.half().float() if bits == 16 else _values(_codes(values_BC, bits), bits)
        )
    # not `values + (rounded - values)`: that sum would be rounded once more
    return _StraightThrough.apply(values_BC, rounded_BC)  # type: ignore[no-untyped-call,no-any-return]


def bytes_of(size: int, bits: int) -> int:
    """Return the bytes of a stored vector: fp16 unless its components are integers."""
    return size * (bits if bits in INTEGER_BITS else 16) // 8


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, values: Tensor, rounded: Tensor) -> Tensor:
        return rounded

    @staticmethod
    def backward(ctx: object, outer: Tensor) -> tuple[Tensor, None]:
        return outer, None


def _codes(values: Tensor, bits: int) -> Tensor:
    """Return the codes as whole numbers in fp32."""
    num_cells = 1 << bits
    return ((values.float() + 1) * (num_cells / 2)).floor().clamp(0, num_cells - 1)


def _values(codes: Tensor, bits: int) -> Tensor:
    # exact in fp32: numerator and denominator have at most 9 bits
    return (2 * codes + 1 - (1 << bits)) / (1 << bits)


def _check(bits: int, size: int) -> None:
    if bits not in INTEGER_BITS:
        raise ValueError(f"bits: wanted 8, 4 or 2, got {bits}")
    if size % (8 // bits):
        raise ValueError(
            f"compressed size: wanted a multiple of {8 // bits} with {bits} bits, got {size}"
        )
