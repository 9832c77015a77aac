"""Sentences from text files, one a line: plain, .gz, .xz or .bz2, several inputs, globs.

Lines end at the line feed and nowhere else: U+0085, U+2028 and U+2029 are text. Bytes that are not
UTF-8 are an error and are not repaired.
"""

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rrnn_lit.packed_files import CUT, PACKED, opened

_LONGEST = 1 << 20  # bytes of one line; more is no file of sentences
_REPORT = 1_000  # lines between two calls of `at`


def is_packed(path: Path) -> bool:
    """Tell by the name whether the file will be unpacked."""
    return path.suffix.lower() in PACKED


def find_files(patterns: Sequence[str], option: str = "source.files") -> list[Path]:
    """Return the files that paths and globs name, in the given order, each glob's sorted.

    Args:
        patterns: paths or globs.
        option: named in error messages.

    Raises:
        ValueError: no input, a glob without match, a missing file, a folder, an empty file.
    """
    if not patterns:
        raise ValueError(f"{option}: wanted at least one text file, got none")
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = [pattern]
        if not Path(pattern).exists() and glob.has_magic(pattern):
            matches = sorted(glob.glob(pattern, recursive=True))
            if not matches:
                raise ValueError(f"{option}: wanted files, got no match of {pattern}")
        for match in matches:
            found.setdefault(_checked(Path(match), option), None)
    return list(found)


def _checked(path: Path, option: str) -> Path:
    if path.is_dir():
        raise ValueError(f"{option}: wanted a text file, got a folder: {path}")
    if not path.is_file():
        raise ValueError(f"{option}: wanted a text file, got no such file: {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"{option}: wanted a text file with sentences, got 0 bytes: {path}")
    return path


def read_lines(path: Path, at: Callable[[int], None] = lambda _: None) -> Iterator[str]:
    """Yield the lines of one file without their ends, blank ones too.

    Args:
        path: unpacked according to its name.
        at: told now and then how many bytes of the file, as stored, have been read.

    Raises:
        UnsafeError: the file unpacks to a flood.
        ValueError: a line is not UTF-8 or longer than 1 MiB, the file is cut or not packed as
            its name says.
    """
    number = 0
    try:
        with opened(path) as (file, stored):
            while line := file.readline(_LONGEST):
                number += 1
                if number % _REPORT == 0:
                    at(stored.tell())
                if len(line) == _LONGEST:
                    raise ValueError(
                        f"{path}, line {number}: wanted one sentence a line, "
                        f"got a line of {_LONGEST} bytes or more"
                    )
                yield line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}, line {number}: wanted UTF-8, got byte 0x{error.object[error.start]:02x} at "
            f"position {error.start}; convert the file, for example with iconv"
        ) from error
    except (*CUT, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ValueError(f"{path}: wanted a readable file, got {error}") from error
        raise ValueError(
            f"{path}: wanted a whole {path.suffix} file, got {error} after line {number}"
        ) from error


class FileSentences:
    """All sentences of several files in order, without blank lines.

    Args:
        paths: what `find_files` returned.

    Attributes:
        num_blank: blank lines left out so far.
        num_bytes: bytes read so far, as stored.
        total_bytes: of all files, as stored.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)
        self.num_blank = self.num_bytes = 0
        self.total_bytes = sum(path.stat().st_size for path in self._paths)

    def __iter__(self) -> Iterator[str]:
        finished = 0
        for path in self._paths:
            before = finished
            finished += path.stat().st_size
            yield from self._sentences(path, before)
            self.num_bytes = finished

    def _sentences(self, path: Path, before: int) -> Iterator[str]:
        def at(position: int) -> None:
            self.num_bytes = before + position

        for line in read_lines(path, at):
            if not line or line.isspace():
                self.num_blank += 1
            else:
                yield line
