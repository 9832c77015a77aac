"""Results of a command: standard output, or a file that appears complete or not at all.

A file is written beside its place under a hidden name and renamed at the end; after an error or
Ctrl-C nothing of it is left.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

STANDARD = "-"


def check_place(path: Path) -> None:
    """Refuse before minutes are spent a place where no file can be written.

    Raises:
        OSError: the place is taken by something else, or its folder is missing or read-only.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OSError(f"--out: wanted a regular file, got {path}")
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK | os.X_OK):
        raise OSError(f"--out: wanted a file in a folder that can be written to, got {path}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a name to write to, which becomes `path` if nothing goes wrong.

    A link stays a link: what it points to is replaced.

    Raises:
        OSError: see `check_place`.
    """
    check_place(path)
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def binary_output(out: str) -> Iterator[IO[bytes]]:
    """Yield a file for bytes, or standard output for `-`."""
    if out == STANDARD:
        with _flushed(sys.stdout.buffer) as file:
            yield file
        return
    with replacing(Path(out)) as part, open(part, "xb") as file:
        yield file


@contextmanager
def _flushed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    try:
        yield file
        file.flush()
    except BrokenPipeError:
        drop_output()
        raise


def drop_output() -> None:
    """Give up what cannot be written to standard output.

    The interpreter would complain again when it flushes at its end.
    """
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def to_bytes(line: str) -> bytes:
    """Return a line of text with its end, as UTF-8."""
    return f"{line}\n".encode()
