"""Vectors in and out of commands: .npy, .parquet, or `-` for a stream of .npy arrays.

Shapes: R rows of a block, D numbers in a row.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy.typing as npt

from rrnn_lit.codec.output_files import STANDARD, binary_output, replacing
from rrnn_lit.codec.parquet_blocks import ParquetWriter, read_parquet
from rrnn_lit.codec.text_lines import check_file
from rrnn_lit.codec.vector_blocks import (
    Block,
    BlockWriter,
    NpyStreamWriter,
    NpyWriter,
    read_blocks,
)

_SUFFIXES = (".npy", ".parquet")


def check_vector_file(name: str) -> str:
    """Return the name of a file of vectors.

    Raises:
        ValueError: it ends in something else than .npy or .parquet.
    """
    if name != STANDARD and Path(name).suffix not in _SUFFIXES:
        raise ValueError(f"wanted a file .npy or .parquet, or - for a pipe, got {name!r}")
    return name


@contextmanager
def writing(out: str, size: int, dtype: npt.DTypeLike) -> Iterator[BlockWriter]:
    """Yield what takes blocks of rows; the file is there, whole, after the end.

    Args:
        out: file, or `-` for standard output.
        size: D.
        dtype: of the numbers.

    Raises:
        ValueError: pyarrow is needed and not installed.
        OSError: the file cannot be written.
    """
    writer: BlockWriter
    if out == STANDARD:
        with binary_output(out) as file:
            writer = NpyStreamWriter(file, size, dtype)
            yield writer
            writer.close()
    elif Path(out).suffix == ".npy":
        with binary_output(out) as file:
            writer = NpyWriter(file, size, dtype)
            yield writer
            writer.close()
    else:
        with replacing(Path(out)) as part:
            writer = ParquetWriter(part, size, dtype)
            try:
                yield writer
            finally:
                writer.close()


def reading(name: str, num_rows: int) -> Iterator[Block]:
    """Yield the rows of a file, or of standard input for `-`, in blocks.

    Args:
        name: file, or `-`.
        num_rows: most rows of a block.

    Raises:
        ValueError: no such file, or it does not hold what its name says.
    """
    if name == STANDARD:
        yield from read_blocks(sys.stdin.buffer, "standard input", num_rows)
        return
    path = Path(name)
    check_file(path, "a file of vectors")
    if path.suffix == ".parquet":
        yield from read_parquet(path, num_rows)
        return
    with open(path, "rb") as file:
        yield from read_blocks(file, name, num_rows)
