"""Compression through the codec."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.models.compressor import compressor_of
from tests.codec.parts import COMPRESSOR_OPTIONS, fill, tiny_parts

VECTORS = np.random.default_rng(0).uniform(-1, 1, (6, 24)).astype(np.float32)


def parts_of(**options: Any) -> CodecParts:
    every = {**COMPRESSOR_OPTIONS, **options}
    compressor = compressor_of(every)
    fill(compressor, torch.Generator().manual_seed(2))
    return replace(tiny_parts(), compressor=compressor, compressor_options=every)


@pytest.mark.parametrize(
    ("bits", "width", "dtype"),
    [(32, 8, np.float16), (16, 8, np.float16), (8, 8, np.uint8), (4, 4, np.uint8)],
)
def test_codes_are_small_and_come_back_as_the_compressor_makes_them(
    bits: int, width: int, dtype: Any
) -> None:
    parts = parts_of(bits=bits)
    codec = SentenceCodec(parts)
    codes = codec.compress(VECTORS)
    assert (codes.shape, codes.dtype) == ((6, width), dtype)
    back = codec.decompress(codes)
    assert back.dtype == np.float32
    assert parts.compressor is not None
    compressed = parts.compressor.compress(torch.from_numpy(VECTORS))
    wanted = parts.compressor.decompress(compressed.half().float() if bits > 8 else compressed)
    np.testing.assert_allclose(back, wanted.detach().numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_a_vector_alone_equals_a_vector_in_a_batch(bits: int) -> None:
    codec = SentenceCodec(parts_of(bits=bits))
    codes = codec.compress(VECTORS)
    alone = np.concatenate([codec.compress(vector[None]) for vector in VECTORS])
    np.testing.assert_allclose(alone.astype(float), codes.astype(float), atol=1e-3)
    back = np.concatenate([codec.decompress(code[None]) for code in codes])
    np.testing.assert_allclose(back, codec.decompress(codes), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("bits", "codes", "message"),
    [
        (8, np.zeros((1, 8), np.float16), "codes: wanted uint8, as this compressor makes them"),
        (8, np.zeros((1, 7), np.uint8), "codes: wanted 8 numbers in each, got 7"),
        (4, np.zeros((1, 8), np.uint8), "codes: wanted 4 numbers in each, got 8"),
        (16, np.zeros((1, 8), np.uint8), "codes: wanted numbers of a floating format, got uint8"),
        (16, np.full((1, 8), np.nan), r"codes\[0\]: wanted finite numbers, got nan"),
        (16, np.zeros(8), r"codes: wanted an array of shape \(number, 8\)"),
    ],
)
def test_bad_codes_are_named(bits: int, codes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SentenceCodec(parts_of(bits=bits)).decompress(codes)


def test_a_number_beyond_float16_is_an_error_and_not_an_infinity() -> None:
    codec = SentenceCodec(parts_of(activation="leaky_relu"))
    vectors = np.stack([VECTORS[0], 1e6 * VECTORS[1]])
    with pytest.raises(ValueError, match=r"vectors\[1\]: wanted numbers that float16 holds, got"):
        codec.compress(vectors)


def test_without_compressor_it_is_said() -> None:
    codec = SentenceCodec(tiny_parts())
    for function in (codec.compress, codec.decompress):
        with pytest.raises(ValueError, match="compressor: wanted a bundle with one, got a bundle"):
            function(VECTORS)
