"""Lines of a text file or of standard input, each of which stands for a result.

Lines end at the line feed and nowhere else; no line is left out, a blank one neither. Bytes that
are not UTF-8 are an error and are not repaired.
"""

import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

from rrnn_lit.codec.output_files import STANDARD
from rrnn_lit.packed_files import CUT, opened

_LONGEST = 1 << 20  # bytes of one line; more is no file of sentences
_CUT = (*CUT, OSError)


def name_of(place: str) -> str:
    """Return how messages call an input."""
    return "standard input" if place == STANDARD else place


def check_file(path: Path, wanted: str) -> None:
    """Raise ValueError if there is no such file, or what is there is no regular one."""
    if path.is_file():
        return
    what = "a pipe or device" if path.exists() else "no such file"
    what = "a folder" if path.is_dir() else what
    raise ValueError(f"wanted {wanted}, got {what}: {path}")


def read_lines(place: str) -> Iterator[str]:
    """Yield the lines of a file, unpacked according to its name, or of standard input for `-`.

    Raises:
        UnsafeError: the file unpacks to a flood.
        ValueError: there is no such file; a line is not UTF-8 or longer than 1 MiB; the file is
            cut or not packed as its name says.
    """
    with _opened(place) as file:
        number = 0
        while line := _line(file, place, number):
            line = line if number else line.removeprefix(BOM_UTF8)  # of Windows, no text
            number += 1
            yield _decoded(line, place, number)


def blocks_of(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield the lines in lists of so many; the last has what is left."""
    rest = iter(lines)
    while block := list(islice(rest, size)):
        yield block


@contextmanager
def _opened(place: str) -> Iterator[IO[bytes]]:
    if place == STANDARD:
        yield sys.stdin.buffer
        return
    path = Path(place)
    check_file(path, "a text file")
    with opened(path) as (file, _):
        yield file


def _line(file: IO[bytes], place: str, number: int) -> bytes:
    try:
        return file.readline(_LONGEST)
    except _CUT as error:
        raise ValueError(
            f"{name_of(place)}: wanted a whole and readable file, got {error} after line {number}"
        ) from error


def _decoded(line: bytes, place: str, number: int) -> str:
    where = f"{name_of(place)}, line {number}"
    if len(line) == _LONGEST:
        raise ValueError(
            f"{where}: wanted one sentence a line, got a line of {_LONGEST} bytes or more"
        )
    try:
        return line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{where}: wanted UTF-8, got byte 0x{line[error.start]:02x} at position {error.start}"
        ) from error
