"""Shards: numbered pieces of text on disk, written whole or not at all.

A stage writes `NNNNN.txt` (one sentence a line), `NNNNN.npy` (digests) and last `NNNNN.json`
(counters). Each goes to a temporary name, is flushed to the disk and renamed; a shard counts as
done when its last file is there, so a task may be killed and repeated at any moment.
"""

import json
import re
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.deduplicate import Digests, digest_lines
from rrnn_lit.data.manifest import write_json
from rrnn_lit.whole_files import sync_folder, written_durably

WORK_FORMAT = 3  # of the files below `.work`; unfinished work of another one is not continued
_MARK = "fingerprint.json"
_NAME_LENGTH = 16
_OURS = re.compile(f"[0-9a-f]{{{_NAME_LENGTH}}}")


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
        self.folder = parent / fingerprint[:_NAME_LENGTH]
        mark = self.folder / _MARK
        self.resumed = mark.is_file() and json.loads(mark.read_text()) == fingerprint
        if not self.resumed:
            claim = claim_work(parent)
            for other in _work_folders(parent):
                if other != claim:
                    _discard(other)
            for name in ("raw", "text", "ids", "raw_digests", "text_digests"):
                (self.folder / name).mkdir(parents=True)
            write_json(mark, fingerprint)
        for other in _work_folders(parent):
            if other != self.folder:
                _discard(other)
        self.raw = Shards(self.folder / "raw")
        self.text = Shards(self.folder / "text")


def remove_work(parent: Path) -> None:
    """Delete all unfinished results, and the folder they are in if nothing else is."""
    for folder in _work_folders(parent):
        _discard(folder)
    with suppress(OSError):  # somebody's own files
        parent.rmdir()


def claim_work(parent: Path) -> Path:
    """Make a folder that tells whose `parent` is, and return it."""
    folder = parent / ("0" * _NAME_LENGTH)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def has_work(parent: Path) -> bool:
    """Return whether unfinished results are there."""
    return bool(_work_folders(parent))


def _work_folders(parent: Path) -> list[Path]:
    """Return the folders of results; never what a link leads to, nor what somebody else made."""
    if parent.is_symlink() or not parent.is_dir():
        return []
    if (parent / _MARK).is_file():  # of an earlier version
        return [parent]
    return [p for p in sorted(parent.iterdir()) if _OURS.fullmatch(p.name) and not p.is_symlink()]


def _discard(folder: Path) -> None:
    """Delete results; without the mark first, a half of them would pass for all of them."""
    (folder / _MARK).unlink(missing_ok=True)
    sync_folder(folder)
    shutil.rmtree(folder)
