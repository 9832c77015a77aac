"""Files and folders that are there whole or not at all: written beside their place and renamed."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a place beside `path`, which takes `path` at the end unless something is raised.

    Several processes and threads may write the same file.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


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
    old = part.with_suffix(".old")
    if target.exists():
        target.rename(old)
    try:
        part.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)  # the names, too, shall outlive a power cut
    finally:
        os.close(handle)
