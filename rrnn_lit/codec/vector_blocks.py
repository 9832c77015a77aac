"""Arrays of vectors in a file or a pipe, block after block: .npy and its streamed form.

A stream is several .npy arrays of one width and type, one behind the other, each as `np.save`
writes it; all their rows count. A plain .npy file is a stream of one array. A writer that knows
the number of rows only at the end, but can go back, writes one array; into a pipe it writes many.

Shapes: R rows of a block, D numbers in a row.
"""

from collections.abc import Iterator
from tokenize import TokenError
from typing import IO, Any, Protocol

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[Any]
_CHUNK = 1 << 24  # bytes read at once
# what numpy lets through of the parsers that it hands a damaged header to
_HEADER_PARSER = (TokenError, SyntaxError, RecursionError, MemoryError)
_MOST_OF_TEXT = 160  # characters of an error that quotes the header


class BlockWriter(Protocol):
    """Takes the rows of a result in order."""

    def write(self, block_RD: Block) -> None:
        """Append rows."""
        ...

    def close(self) -> None:
        """Write what can only be written at the end."""
        ...


class NpyWriter:
    """One array, its number of rows filled in at the end.

    Args:
        file: can be sought.
        size: D.
        dtype: of the numbers.
    """

    def __init__(self, file: IO[bytes], size: int, dtype: npt.DTypeLike) -> None:
        self._file, self._size, self._dtype = file, size, np.dtype(dtype)
        self._num_rows = 0
        self._write_header()
        self._data_starts = file.tell()

    def write(self, block_RD: Block) -> None:
        """Append rows."""
        self._file.write(np.ascontiguousarray(block_RD, self._dtype).tobytes())
        self._num_rows += len(block_RD)

    def close(self) -> None:
        """Fill in the number of rows."""
        self._file.seek(0)
        self._write_header()
        # numpy leaves room for any number of rows
        assert self._file.tell() == self._data_starts
        self._file.seek(0, 2)

    def _write_header(self) -> None:
        _write_header(self._file, (self._num_rows, self._size), self._dtype)


class NpyStreamWriter:
    """An array a block; without rows a single empty array."""

    def __init__(self, file: IO[bytes], size: int, dtype: npt.DTypeLike) -> None:
        self._file, self._size, self._dtype = file, size, np.dtype(dtype)
        self._is_empty = True

    def write(self, block_RD: Block) -> None:
        """Append rows, at once in the reader's hands."""
        self._is_empty = False
        _write_header(self._file, block_RD.shape, self._dtype)
        self._file.write(np.ascontiguousarray(block_RD, self._dtype).tobytes())
        self._file.flush()

    def close(self) -> None:
        """Say that there are no rows, if so."""
        if self._is_empty:
            self.write(np.empty((0, self._size), self._dtype))


def _write_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    description = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": description, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def read_blocks(file: IO[bytes], name: str, num_rows: int) -> Iterator[Block]:
    """Yield the rows of all arrays of a stream.

    Args:
        file: opened for reading.
        name: of the file, for messages.
        num_rows: most rows of a block.

    Raises:
        ValueError: it is no such stream, ends early, or has arrays of objects.
    """
    number, width = 0, None
    # the byte tells the end of the stream, which is one only behind an array
    while (start := file.read(1)) or number == 0:
        shape, dtype, fortran = _read_header(_Again(start, file), name, number)
        if width is not None and shape[1:] != width:
            raise ValueError(f"{name}: wanted arrays of one width, got {width} and {shape[1:]}")
        width = shape[1:]
        yield from _read_rows(file, name, shape, dtype, fortran, num_rows)
        number += 1


class _Again:
    """A file with a byte put back: pipes cannot be sought."""

    def __init__(self, start: bytes, file: IO[bytes]) -> None:
        self._start, self._file = start, file

    def read(self, size: int) -> bytes:
        start, self._start = self._start[:size], self._start[size:]
        return start + self._file.read(size - len(start))


def _read_header(file: Any, name: str, number: int) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(file)
    except (ValueError, KeyError, *_HEADER_PARSER) as error:
        where = f" as array {number + 1}" if number else ""
        text = str(error)[:_MOST_OF_TEXT]
        raise ValueError(f"{name}: wanted a .npy array{where}, got {text}") from error
    if dtype.hasobject or dtype.names is not None or dtype.shape or not dtype.itemsize:
        raise ValueError(f"{name}: wanted an array of numbers, got {dtype}")
    if len(shape) != 2 or min(shape) < 0:
        raise ValueError(f"{name}: wanted an array of shape (number, width), got {shape}")
    return shape, dtype, bool(fortran)


def _read_rows(
    file: IO[bytes],
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    fortran: bool,
    num_rows: int,
) -> Iterator[Block]:
    total, width = shape
    if not total or not width:
        yield np.empty(shape, dtype)
        return
    if fortran:
        # column by column: no row is whole before the last byte
        values = np.frombuffer(_read_bytes(file, name, total * width * dtype.itemsize), dtype)
        rows_RD = values.reshape(width, total).T
        yield from (rows_RD[start : start + num_rows] for start in range(0, total, num_rows))
        return
    for start in range(0, total, num_rows):
        count = min(num_rows, total - start)
        data = _read_bytes(file, name, count * width * dtype.itemsize)
        yield np.frombuffer(data, dtype).reshape(count, width)


def _read_bytes(file: IO[bytes], name: str, size: int) -> bytes:
    parts, left = [], size
    while left and (part := file.read(min(left, _CHUNK))):
        parts.append(part)
        left -= len(part)
    if left:
        raise ValueError(f"{name}: wanted a whole array, got an end {left} bytes too early")
    return b"".join(parts)
