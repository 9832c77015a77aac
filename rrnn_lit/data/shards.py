"""Shards: numbered pieces of text on disk, written whole or not at all.

A stage writes `NNNNN.txt` (one sentence a line), `NNNNN.npy` (digests) and last `NNNNN.json`
(counters). Each goes to a temporary name, is flushed to the disk and renamed; a shard counts as
done when its last file is there, so a task may be killed and repeated at any moment.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rrnn_lit.data.deduplicate import Digests, digest_lines
from rrnn_lit.data.manifest import write_json


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that it is there completely or not at all, even after a power cut."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with open(part, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines one by one, as durably; return their number."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    number = 0
    with open(part, "w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(f"{line}\n")
            number += 1
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    return number


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


class Shards:
    """The shards of one stage.

    Args:
        folder: created with the first shard.
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
        self.folder.mkdir(parents=True, exist_ok=True)
        write_durably(self._path(number, "txt"), "".join(f"{x}\n" for x in lines).encode())
        write_durably(self._path(number, "npy"), digest_lines(lines).tobytes())
        write_json(self._path(number, "json"), {"sentences": len(lines), **counters})

    def counters(self, number: int) -> dict[str, Any]:
        """Return what was counted while the shard was written."""
        return read_json(self._path(number, "json"))

    def digests(self, number: int) -> Digests:
        """Return the digests of the shard's sentences."""
        return np.fromfile(self._path(number, "npy"), dtype=np.uint64).reshape(-1, 2)

    def lines(self, number: int) -> Iterator[str]:
        """Yield the shard's sentences."""
        with open(self._path(number, "txt"), encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line[:-1]


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
            folder.mkdir(parents=True)
            write_json(mark, fingerprint)
        self.raw = Shards(folder / "raw")
        self.text = Shards(folder / "text")

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
