"""Opens text that may be packed (.gz, .xz, .bz2) and notices files that unpack to a flood.

200 kB of gzip can stand for 200 MB. Text and vectors shrink to a half or a tenth, so a file that
grows a hundredfold is none of either. Archives with several files inside are never unpacked.
"""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from rrnn_lit.complaints import UnsafeError

_UNPACKERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    ".gz": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    ".xz": lambda file: cast(IO[bytes], lzma.LZMAFile(file)),  # noqa: SIM115  # file is closed
    ".bz2": lambda file: cast(IO[bytes], bz2.BZ2File(file)),
}
PACKED = tuple(_UNPACKERS)
CUT = (EOFError, zlib.error, lzma.LZMAError)  # what reading raises, beside OSError
MOST_GROWTH = 100  # unpacked bytes for one stored
_FREE = 16 << 20  # unpacked bytes that any file may have
_BLOCK = 1 << 17


class _Capped(io.RawIOBase):
    """Passes on what an unpacker gives, up to a limit."""

    def __init__(self, file: IO[bytes], path: Path, most: int) -> None:
        self._file, self._path, self._most = cast(BinaryIO, file), path, most
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        count = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._size += count
        if self._size > self._most:
            raise UnsafeError(
                f"{self._path}: a packed file may unpack to {MOST_GROWTH} times its bytes or "
                f"{_FREE >> 20} MiB, got more; unpack it yourself if it is what it should be"
            )
        return int(count)


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Yield a file's content, unpacked according to its name, and the file as it is stored.

    Raises:
        UnsafeError: while it is read, when it unpacks to more than any text does.
    """
    with open(path, "rb") as stored:
        unpack = _UNPACKERS.get(path.suffix.lower())
        if unpack is None:
            yield stored, stored
            return
        most = max(_FREE, MOST_GROWTH * path.stat().st_size)
        yield io.BufferedReader(_Capped(unpack(stored), path, most), _BLOCK), stored


def unpacked_size(path: Path) -> int:
    """Return how many bytes a file unpacks to; those of a packed one are all read, none kept."""
    if path.suffix.lower() not in _UNPACKERS:
        return path.stat().st_size
    with opened(path) as (file, _):
        buffer = bytearray(_BLOCK)
        return sum(iter(lambda: file.readinto(buffer), 0))  # type: ignore[attr-defined]
