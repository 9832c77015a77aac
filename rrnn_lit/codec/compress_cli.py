"""The command `rrnn compress`: sentence vectors to compressed ones, a row for each row."""

import argparse
from collections.abc import Callable

from rrnn_lit.codec.command import run_conversion
from rrnn_lit.codec.vector_blocks import Block

COMMAND = "compress"
_DESCRIPTION = (
    "Writes compressed vectors: float16, or uint8 where the compressor has 8 bits or fewer."
)


def main(options: list[str]) -> int:
    """Run `rrnn compress` with these options and return its exit code."""
    return run_conversion(COMMAND, options, _DESCRIPTION, _make)


def _make(given: argparse.Namespace) -> tuple[Callable[[Block], Block], Block]:
    import numpy as np

    from rrnn_lit.codec.sentence_codec import SentenceCodec

    codec = SentenceCodec.load(given.bundle, given.device)
    none = np.empty((0, codec.sentence_vector_size), np.float32)
    return codec.compress, codec.compress(none)
