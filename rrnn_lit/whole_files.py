"""Files and folders that are there whole or not at all: written beside their place and renamed."""

import os
import shutil
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a place beside `path`, which takes `path` at the end unless something is raised.

    Several processes and threads may write the same file.
    """
    part = _part(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Give an error about writing the file's name, which the system leaves out.

    Raises:
        OSError: what was raised inside, with the name.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        if error.errno is None:  # numpy counts what it could write and says no more
            raise OSError(f"{path}: {error}") from error
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def written_durably(path: Path) -> Iterator[IO[bytes]]:
    """Yield an open file that takes `path` at the end, whole even after a power cut.

    Several processes, also of several machines, may write the same file.

    Raises:
        OSError: what was raised inside, with the file's name.
    """
    part = _part(path)
    try:
        with named(path):
            with open(part, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    # processes of several machines, or containers, can have the same number
    who = f"{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}"
    return path.with_name(f"{path.name}.{who}.part")


def sync_folder(folder: Path) -> None:
    """Let the names in a folder, too, outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a file as UTF-8, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def put_folder(part: Path, target: Path) -> None:
    """Move a finished folder to its place; what is there goes once that is done.

    Args:
        part: beside `target`, with the suffix `.part`.
        target: a folder or nothing.

    Raises:
        OSError: it cannot be moved; what was there is there again.
    """
    # a name that no earlier process has left behind: in containers numbers of processes repeat
    old = part.with_name(f"{part.stem}.{uuid.uuid4().hex[:8]}.old")
    if target.exists():
        target.rename(old)
    try:
        part.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
    sync_folder(target.parent)
