import io
import struct
from typing import Any

import numpy as np
import pytest

from rrnn_lit.codec.vector_blocks import Block, NpyStreamWriter, NpyWriter, read_blocks

ROWS = np.arange(42, dtype=np.float32).reshape(14, 3)


def saved(*arrays: Any) -> io.BytesIO:
    file = io.BytesIO()
    for array in arrays:
        np.save(file, array, allow_pickle=False)
    file.seek(0)
    return file


def read(file: io.BytesIO, num_rows: int = 4) -> Block:
    return np.concatenate(list(read_blocks(file, "v.npy", num_rows)))


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8", "u1"])
@pytest.mark.parametrize("sizes", [[14], [5, 9], [5, 0, 9], [], [0]])
def test_writers_write_what_is_read_back(sizes: list[int], dtype: str) -> None:
    for writer_type in (NpyWriter, NpyStreamWriter):
        file = io.BytesIO()
        writer = writer_type(file, 3, dtype)
        for end, size in zip(np.cumsum(sizes), sizes, strict=True):
            writer.write(ROWS[end - size : end])
        writer.close()
        file.seek(0)
        found = read(file)
        assert found.dtype == dtype
        assert np.array_equal(found, ROWS[: sum(sizes)])
        assert found.shape[1] == 3


def test_a_file_is_one_array_that_numpy_reads() -> None:
    file = io.BytesIO()
    writer = NpyWriter(file, 3, "f2")
    writer.write(ROWS[:5])
    writer.write(ROWS[5:])
    writer.close()
    file.seek(0)
    assert np.array_equal(np.load(file, allow_pickle=False), ROWS)
    assert file.read() == b""


def test_a_stream_is_a_row_of_arrays_that_numpy_reads() -> None:
    file = io.BytesIO()
    writer = NpyStreamWriter(file, 3, "f4")
    writer.write(ROWS[:5])
    writer.write(ROWS[5:])
    writer.close()
    file.seek(0)
    assert np.array_equal(np.load(file, allow_pickle=False), ROWS[:5])
    assert np.array_equal(np.load(file, allow_pickle=False), ROWS[5:])


@pytest.mark.parametrize("num_rows", [1, 4, 14, 100])
def test_blocks_have_at_most_the_wanted_rows(num_rows: int) -> None:
    blocks = list(read_blocks(saved(ROWS, np.asfortranarray(ROWS)), "v.npy", num_rows))
    assert max(map(len, blocks)) <= num_rows
    assert np.array_equal(np.concatenate(blocks), np.concatenate([ROWS, ROWS]))


def cut(file: io.BytesIO, end: int) -> io.BytesIO:
    return io.BytesIO(file.getvalue()[:end])


OBJECTS = io.BytesIO()
np.save(OBJECTS, np.array([[{}]]), allow_pickle=True)


def declaring(header: str) -> io.BytesIO:
    """Return an array of this header and no data."""
    content = header.encode() + b"\n"
    return io.BytesIO(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(content)) + content)


def of_shape(shape: str, dtype: str = "'<f4'") -> io.BytesIO:
    return declaring(f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (declaring("(" * 3000), "v.npy: wanted a .npy array, got"),
        (declaring("[" * 9000), "v.npy: wanted a .npy array, got"),
        (of_shape("(" + "9" * 5000 + ", 3)"), r"^v.npy: wanted a .npy array, got .{,200}$"),
        (of_shape("(-1, 3)"), r"v.npy: wanted an array of shape .*, got \(-1, 3\)"),
        (of_shape("(2, 3)", "'S0'"), "v.npy: wanted an array of numbers, got"),
        (of_shape("(2, 1)", "('<f4', (3,))"), "v.npy: wanted an array of numbers, got"),
        (io.BytesIO(), "v.npy: wanted a .npy array, got"),
        (io.BytesIO(b"word1 word2\n"), "v.npy: wanted a .npy array, got"),
        (cut(saved(ROWS), -1), "v.npy: wanted a whole array, got an end 1 bytes too early"),
        (cut(saved(ROWS), 50), "v.npy: wanted a .npy array, got"),
        (cut(saved(ROWS, ROWS), -8), "an end 8 bytes too early"),
        (io.BytesIO(saved(ROWS).getvalue() + b"\n"), "v.npy: wanted a .npy array as array 2"),
        (saved(ROWS[0]), r"wanted an array of shape \(number, width\), got \(3,\)"),
        (saved(ROWS, ROWS[:, :2]), "wanted arrays of one width"),
        (io.BytesIO(OBJECTS.getvalue()), "wanted an array of numbers, got object"),
    ],
)
def test_what_is_no_stream_is_named(file: io.BytesIO, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(file)
