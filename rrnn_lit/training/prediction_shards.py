"""The folder that `rrnn predict` writes: shards that are whole or not there, the manifest last.

A prediction that was stopped goes on with the first shard that is missing. What its shards belong
to stands in `progress.json` from the start; another beginning removes them.

Shapes: B sentences, S length of a row.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.manifest import MANIFEST_FILE, DataError, file_digest, write_json
from rrnn_lit.data.sentence_vectors import (
    FORMAT,
    FORMAT_VERSION,
    open_shard,
    shard_file,
    shard_sizes,
)
from rrnn_lit.training.run_folder import RECONSTRUCTIONS_FILE
from rrnn_lit.training.samples import Reconstruction
from rrnn_lit.whole_files import written_whole

PROGRESS_FILE = "progress.json"
_OURS = ("*vectors-*.npy", "reconstructions-*.jsonl", "*.part")
State = Literal["new", "unfinished", "finished"]


class PredictionShards:
    """The shards of one split.

    Args:
        folder: `predictions/<split>` of a run.
        facts: what the shards depend on: kind, split, num_sentences, row_size, dtype,
            shard_sentences, digests of weights and data, and the options that change results.
    """

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder = folder
        self.facts = facts
        self.sizes = shard_sizes(facts["num_sentences"], facts["shard_sentences"])

    def state(self) -> State:
        """Return whether the folder holds shards of just these facts, and all of them."""
        manifest = _read(self.folder / MANIFEST_FILE)
        if manifest is not None:
            same = all(manifest.get(name) == value for name, value in self.facts.items())
            return "finished" if same and self._is_as_written(manifest) else "new"
        return "unfinished" if _read(self.folder / PROGRESS_FILE) == self.facts else "new"

    def _is_as_written(self, manifest: dict[str, Any]) -> bool:
        """Return whether every byte is; who reads a damaged shard says: predict it again."""
        names = [shard_file(self.facts["kind"], number) for number in range(len(self.sizes))]
        try:
            wanted = {shard["file"]: shard["sha256"] for shard in manifest["shards"]}
            return wanted == {name: file_digest(self.folder / name) for name in names}
        except (OSError, LookupError, TypeError):
            return False

    def settle(self) -> list[int]:
        """Make the folder ready and return the numbers of the shards to write, ascending.

        If all are there and only the manifest is missing, the last one is written again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.state() == "new":
            self._clear()
            write_json(self.folder / PROGRESS_FILE, self.facts)
        for part in self.folder.glob("*.part"):
            part.unlink()
        return self.missing() or [len(self.sizes) - 1]

    def _clear(self) -> None:
        (self.folder / MANIFEST_FILE).unlink(missing_ok=True)  # first: no folder half valid
        for name in (PROGRESS_FILE, RECONSTRUCTIONS_FILE):
            (self.folder / name).unlink(missing_ok=True)
        for pattern in _OURS:
            for path in self.folder.glob(pattern):
                path.unlink()

    def missing(self) -> list[int]:
        """Return the numbers of the shards that are not there or damaged."""
        return [number for number in range(len(self.sizes)) if not self._is_whole(number)]

    def _is_whole(self, number: int) -> bool:
        path = self.folder / shard_file(self.facts["kind"], number)
        shape = self.sizes[number], self.facts["row_size"]
        try:
            open_shard(path, shape, np.dtype(self.facts["dtype"]))
        except DataError:
            return False
        return True

    def write(
        self, number: int, rows: npt.NDArray[Any], reconstructions: Sequence[Reconstruction]
    ) -> None:
        """Write a shard; its vectors come last and mean that it is whole.

        Raises:
            OSError: it cannot be written, for example because the disk is full.
            DataError: a number is inf or NaN.
        """
        path = self.folder / shard_file(self.facts["kind"], number)
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            raise DataError(f"{path}: wanted finite vectors, got inf or NaN from these weights")
        lines = "".join(f"{json.dumps(asdict(r))}\n" for r in reconstructions).encode()
        try:
            _write_whole(self._lines(number), lines)
            _write_whole(path, rows)
        except OSError as error:
            raise OSError(
                f"{path}: the shard could not be written: {error}; the same command goes on here"
            ) from error

    def _lines(self, number: int) -> Path:
        return self.folder / f"reconstructions-{number:05d}.jsonl"

    def finish(self) -> None:
        """Join the sentences of all shards and write the manifest.

        Raises:
            OSError: it cannot be written.
        """
        numbers = range(len(self.sizes))
        part = self.folder / f"{RECONSTRUCTIONS_FILE}.part"
        with open(part, "wb") as whole:
            for number in numbers:
                with open(self._lines(number), "rb") as lines:
                    shutil.copyfileobj(lines, whole)
            whole.flush()
            os.fsync(whole.fileno())
        os.replace(part, self.folder / RECONSTRUCTIONS_FILE)
        names = [shard_file(self.facts["kind"], number) for number in numbers]
        shards = [
            {"file": name, "rows": rows, "sha256": file_digest(self.folder / name)}
            for name, rows in zip(names, self.sizes, strict=True)
        ]
        head = {"format": FORMAT, "format_version": FORMAT_VERSION}
        write_json(self.folder / MANIFEST_FILE, {**head, **self.facts, "shards": shards})
        for number in numbers:
            self._lines(number).unlink()
        (self.folder / PROGRESS_FILE).unlink(missing_ok=True)


def _write_whole(path: Path, content: bytes | npt.NDArray[Any]) -> None:
    """Write a file beside its place and rename it.

    No memory map: on a full disk a write raises where a map would kill the process.
    """
    with written_whole(path) as part, open(part, "wb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            np.lib.format.write_array(file, content, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
