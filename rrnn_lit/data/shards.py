"""Shards: numbered pieces of text on disk, written whole or not at all.

A stage writes `NNNNN.txt` (one sentence a line), `NNNNN.npy` (digests) and last `NNNNN.json`
(counters). Each goes to a temporary name, is flushed to the disk and renamed; a shard counts as
done when its last file is there, so a task may be killed and repeated at any moment.
"""

import json
import os
import shutil
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.deduplicate import Digests, digest_lines
from rrnn_lit.data.disk_room import named
from rrnn_lit.data.manifest import write_json

WORK_FORMAT = 2  # of the files below `.work`; unfinished work of another one is not continued


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that it is there completely or not at all, even after a power cut."""
    with _durable(path) as file:
        file.write(content)


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as .npy, as durably."""
    with _durable(path) as file:
        np.lib.format.write_array(file, array, allow_pickle=False)


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines one by one, as durably; return their number."""
    number = 0
    with _durable(path) as file:
        for line in lines:
            file.write(f"{line}\n".encode())
            number += 1
    return number


@contextmanager
def _durable(path: Path) -> Iterator[IO[bytes]]:
    part = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}.part")
    try:
        with named(path):
            with open(part, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


class Shards:
    """The shards of one stage.

    Args:
        folder: an existing one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, number: int, suffix: str) -> Path:
        return self.folder / f"{number:05d}.{suffix}"

    def is_done(self, number: int) -> bool:
        """Tell whether the shard was written completely."""
        return self._path(number, "json").is_file()

    def write(self, number: int, lines: Sequence[str], counters: dict[str, Any]) -> None:
        """Write sentences, their digests and counters (`sentences` is added)."""
        content = "".join([f"{line}\n" for line in lines]).encode()
        write_durably(self._path(number, "txt"), content)
        write_durably(self._path(number, "npy"), digest_lines(lines).tobytes())
        path = self._path(number, "json")
        with named(path):
            write_json(path, {"sentences": len(lines), **counters})

    def drop_text(self, number: int) -> None:
        """Delete the sentences of a shard that nobody needs any more."""
        self._path(number, "txt").unlink(missing_ok=True)

    def drop_digests(self, number: int) -> None:
        """Delete the digests of a shard that nobody needs any more."""
        self._path(number, "npy").unlink(missing_ok=True)

    def counters(self, number: int) -> dict[str, Any]:
        """Return what was counted while the shard was written."""
        return read_json(self._path(number, "json"))

    def digests(self, number: int) -> Digests:
        """Return the digests of the shard's sentences."""
        return np.fromfile(self._path(number, "npy"), dtype=np.uint64).reshape(-1, 2)

    def lines(self, number: int) -> list[str]:
        """Return the shard's sentences."""
        return self._path(number, "txt").read_bytes().decode().split("\n")[:-1]


class WorkFolder:
    """The unfinished results below a prepared folder, valid for one fingerprint only.

    Args:
        folder: `.work` of the prepared folder.
        fingerprint: digest over configuration, inputs and versions; results under another one
            are deleted.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        mark = folder / "fingerprint.json"
        self.resumed = mark.is_file() and json.loads(mark.read_text()) == fingerprint
        if not self.resumed:
            shutil.rmtree(folder, ignore_errors=True)
            # workers make no folder: one that comes late from another run shall fail
            for name in ("raw", "text", "ids", "raw_digests", "text_digests"):
                (folder / name).mkdir(parents=True)
            with named(mark):
                write_json(mark, fingerprint)
        self.raw = Shards(folder / "raw")
        self.text = Shards(folder / "text")

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
