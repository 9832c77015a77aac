"""Shards: numbered pieces of text on disk, written whole or not at all.

A stage writes `NNNNN.txt` (one sentence a line), `NNNNN.npy` (digests) and last `NNNNN.json`
(counters). Each goes to a temporary name, is flushed to the disk and renamed; a shard counts as
done when its last file is there, so a task may be killed and repeated at any moment.
"""

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.deduplicate import Digests, digest_lines
from rrnn_lit.data.manifest import write_json
from rrnn_lit.whole_files import sync_folder, written_durably

WORK_FORMAT = 3  # of the files below `.work`; unfinished work of another one is not continued
_MARK = "fingerprint.json"


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that it is there completely or not at all, even after a power cut."""
    with written_durably(path) as file:
        file.write(content)


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as .npy, as durably."""
    with written_durably(path) as file:
        np.lib.format.write_array(file, array, allow_pickle=False)


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines one by one, as durably; return their number."""
    number = 0
    with written_durably(path) as file:
        for line in lines:
            file.write(f"{line}\n".encode())
            number += 1
    return number


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
        path = self._path(number, "npy")
        found, wanted = np.fromfile(path, dtype=np.uint64), self.counters(number)["sentences"]
        if len(found) != 2 * wanted:
            raise ValueError(f"{path}: wanted digests of {wanted} sentences, got another size")
        return found.reshape(-1, 2)

    def lines(self, number: int) -> list[str]:
        """Return the shard's sentences."""
        return self._path(number, "txt").read_bytes().decode().split("\n")[:-1]


class WorkFolder:
    """The unfinished results below a prepared folder, valid for one fingerprint only.

    Args:
        parent: `.work` of the prepared folder; results under another fingerprint are deleted.
        fingerprint: digest over configuration, inputs and versions.

    Attributes:
        folder: where the results are. Each fingerprint has its own, and workers make no folder:
            one that comes late from another run fails.
        resumed: whether an earlier start left results.
    """

    def __init__(self, parent: Path, fingerprint: str) -> None:
        self.folder = parent / fingerprint[:16]
        mark = self.folder / _MARK
        self.resumed = mark.is_file() and json.loads(mark.read_text()) == fingerprint
        for other in parent.iterdir() if parent.is_dir() else ():
            if other != self.folder or not self.resumed:
                _discard(other)
        if not self.resumed:
            for name in ("raw", "text", "ids", "raw_digests", "text_digests"):
                (self.folder / name).mkdir(parents=True)
            write_json(mark, fingerprint)
        self.raw = Shards(self.folder / "raw")
        self.text = Shards(self.folder / "text")


def remove_work(parent: Path) -> None:
    """Delete all unfinished results, and the folder they are in."""
    for folder in parent.iterdir() if parent.is_dir() else ():
        _discard(folder)
    shutil.rmtree(parent, ignore_errors=True)


def _discard(folder: Path) -> None:
    """Delete results; without the mark first, a half of them would pass for all of them."""
    if not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    (folder / _MARK).unlink(missing_ok=True)
    sync_folder(folder)
    shutil.rmtree(folder)
