"""Damage to a file as a disk does it: other bytes under the same name and time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PAGE = 4096


@contextmanager
def _edit(path: Path) -> Iterator[BinaryIO]:
    """Open a file to be changed in place; its times are put back."""
    times = path.stat()
    with open(path, "r+b") as file:
        yield file
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def cut(path: Path, size: int) -> None:
    """Keep the first `size` bytes: a write that was torn.

    Raises:
        ValueError: the file is not longer than that.
    """
    _want("size", size, path.stat().st_size)
    with _edit(path) as file:
        file.truncate(size)


def empty(path: Path) -> None:
    """Leave no byte: a file that was made and never written."""
    with _edit(path) as file:
        file.truncate(0)


def flip_bit(path: Path, bit: int) -> None:
    """Turn one bit over, counted from the start of the file.

    Raises:
        ValueError: the file has no such bit.
    """
    _want("bit", bit, 8 * path.stat().st_size)
    with _edit(path) as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def zero_page(path: Path, page: int) -> None:
    """Overwrite the page of 4,096 bytes with this number by zeros; the last one may be shorter.

    Raises:
        ValueError: the file has no such page.
    """
    size = path.stat().st_size
    _want("page", page, -(-size // PAGE))
    with _edit(path) as file:
        file.seek(page * PAGE)
        file.write(bytes(min(PAGE, size - page * PAGE)))


def _want(name: str, value: int, end: int) -> None:
    if not 0 <= value < end:
        raise ValueError(f"{name}: wanted a number from 0 to {end - 1}, got {value}")
