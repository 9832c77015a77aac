"""Sentence vectors on disk: shards of equal size, memory-mapped, as `rrnn predict` writes them.

`<kind>-00000.npy`, `<kind>-00001.npy`, ... hold a fixed number of rows each, the last one the
rest; row i belongs to the i-th sentence of the split that takes part. `manifest.json` says what
they are of and is written last: a folder without it is not finished.

Shapes: B rows, S length of a row.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.manifest import MANIFEST_FILE, DataError, file_digest, read_described

FORMAT = "rrnn_lit sentence vectors"
FORMAT_VERSION = 1
SENTENCE_VECTORS = "sentence_vectors"
COMPRESSED_VECTORS = "compressed_vectors"
_TEXTS = ("kind", "split", "dtype", "weights_digest", "data_digest")
_NUMBERS = ("num_sentences", "row_size", "shard_sentences", "max_words")
# memory maps that stay open: each holds a file handle, of which a process may have about 1,000
_MOST_OPEN = 128
# what each dtype of a shard is called in the manifest
_DTYPES: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "uint8": np.dtype("u1")}


def shard_file(kind: str, number: int) -> str:
    """Return the name of a shard."""
    return f"{kind}-{number:05d}.npy"


def shard_sizes(num_sentences: int, shard_sentences: int) -> list[int]:
    """Return the number of rows of every shard."""
    whole, rest = divmod(num_sentences, shard_sentences)
    return [shard_sentences] * whole + ([rest] if rest else [])


class SentenceVectors:
    """The rows of a folder, read from disk when they are asked for.

    Args:
        folder: `predictions/<split>` of a run.
        kind: what the rows must be: `sentence_vectors` or `compressed_vectors`.
        verify: compare every shard with its digest first, about one second a gigabyte.

    Raises:
        DataError: there is no finished folder, it holds something else, or a shard is missing,
            cut or changed.
    """

    def __init__(self, folder: Path, kind: str = SENTENCE_VECTORS, verify: bool = True) -> None:
        self.folder = folder
        self.manifest = read_vectors_manifest(folder)
        if self.manifest["kind"] != kind:
            raise DataError(f"{folder}: wanted {kind}, got {self.manifest['kind']}")
        self._dtype = _DTYPES[self.manifest["dtype"]]
        self._shard_sentences = int(self.manifest["shard_sentences"])
        self._sizes = shard_sizes(len(self), self._shard_sentences)
        self._open: dict[int, npt.NDArray[Any]] = {}
        if len(self._sizes) != len(self.manifest["shards"]):
            raise DataError(
                f"{folder / MANIFEST_FILE}: wanted {len(self._sizes)} shards for {len(self)} "
                f"sentences, got {len(self.manifest['shards'])}"
            )
        for number, shard in enumerate(self.manifest["shards"]):
            self._check(number, shard["sha256"] if verify else None)

    def _path(self, number: int) -> Path:
        return self.folder / shard_file(self.manifest["kind"], number)

    def _check(self, number: int, digest: str | None) -> None:
        path = self._path(number)
        if not path.is_file():
            raise DataError(f"{path}: wanted the shard the manifest lists, got none")
        if digest is not None and file_digest(path) != digest:
            raise DataError(f"{path}: its SHA-256 differs from the manifest's; predict it again")
        self._map(number)

    def _map(self, number: int) -> npt.NDArray[Any]:
        shape = self._sizes[number], self.row_size
        return open_shard(self._path(number), shape, self._dtype)

    def _shard(self, number: int) -> npt.NDArray[Any]:
        if number not in self._open:
            if len(self._open) >= _MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[number] = self._map(number)
        return self._open[number]

    def __getstate__(self) -> dict[str, Any]:
        # a worker process opens its own: a map would be sent as all its bytes
        return {**self.__dict__, "_open": {}}

    def __len__(self) -> int:
        return int(self.manifest["num_sentences"])

    @property
    def row_size(self) -> int:
        """Length S of a row."""
        return int(self.manifest["row_size"])

    def rows(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return the rows of these numbers, (B, S), in memory.

        Raises:
            DataError: a number is out of range, or a row holds inf or NaN.
        """
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise DataError(
                f"{self.folder}: wanted rows from 0 to {len(self) - 1}, "
                f"got {numbers.min()} to {numbers.max()}"
            )
        rows_BS = np.empty((len(numbers), self.row_size), self._dtype)
        shards_B, places_B = np.divmod(numbers, self._shard_sentences)
        for shard in np.unique(shards_B):
            inside_B = shards_B == shard
            rows_BS[inside_B] = self._shard(int(shard))[places_B[inside_B]]
        if self._dtype.kind == "f" and not np.isfinite(rows_BS).all():
            bad = int(numbers[~np.isfinite(rows_BS).all(axis=1)][0])
            raise DataError(f"{self.folder}: wanted finite numbers, got others in row {bad}")
        return rows_BS


def open_shard(path: Path, shape: tuple[int, int], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return a memory map of a shard.

    Raises:
        DataError: the file is not an array of this shape and dtype.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:  # cut: a ValueError; empty: an EOFError
        raise DataError(f"{path}: wanted a readable .npy file, got {error}") from error
    if array.shape != shape or array.dtype != dtype:
        raise DataError(
            f"{path}: wanted {shape[0]} rows of {shape[1]} {dtype}, "
            f"got {array.dtype} of shape {array.shape}"
        )
    rows: npt.NDArray[Any] = np.asarray(array)
    return rows


def read_vectors_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of vectors.

    Raises:
        DataError: there is none, or one of something else.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise DataError(
            f"{folder}: wanted a folder with {MANIFEST_FILE}, as `rrnn predict` writes it last, "
            f"got {'one without it' if folder.is_dir() else 'no folder'}"
        )
    content = read_described(path, FORMAT, FORMAT_VERSION)
    _check_manifest(path, content)
    return content


def _check_manifest(path: Path, content: dict[str, Any]) -> None:
    for name in _TEXTS:
        if not isinstance(content.get(name), str):
            raise DataError(f"{path}: wanted a text {name}, got {content.get(name)!r}")
    for name in _NUMBERS:
        value = content.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise DataError(f"{path}: wanted a number {name} of at least 1, got {value!r}")
    if content["dtype"] not in _DTYPES:
        raise DataError(f"{path}: wanted dtype float16 or uint8, got {content['dtype']!r}")
    shards = content.get("shards")
    if not isinstance(shards, list) or not all(
        isinstance(shard, dict) and isinstance(shard.get("sha256"), str) for shard in shards
    ):
        raise DataError(f"{path}: wanted a list of shards with their sha256, got {shards!r:.80}")
