"""Reads word2vec files, binary or text, packed or not, limited to a wanted set of words.

gensim does the parsing. Its loader has no filter and would hold the whole matrix (3.6 GB for
GoogleNews); `_load` gives it a `KeyedVectors` whose `add_vector` keeps only wanted words, so
memory grows with what is kept and not with the file. gensim accepts rows that are not finite,
words that occur twice, headers that lie and packed files that unpack to a flood; the checks here
do not. A packed file is unpacked twice for that. Native gensim files (`.kv`,
pickles) can run code when opened and are refused by name.

Shapes: V words kept, W word_dim.
"""

from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.complaints import UnsafeError
from rrnn_lit.packed_files import CUT, PACKED, unpacked_size

_BINARY = (".bin",)
_TEXT = (".txt", ".vec")
_HEADER_BYTES = 100  # "3000000 300\n" and room to spare


def read_vocabulary(path: Path) -> list[str]:
    """Return the words of a word2vec file in file order, without holding any vector.

    Raises:
        ValueError: as `read_vectors`; also when any word occurs twice.
    """
    return _read(path, None, word_dim=None, keep_vectors=False)[0]


def read_vectors(
    path: Path, wanted: Set[str] | None, word_dim: int | None
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return the wanted words that the file has, in file order, and their vectors.

    Args:
        path: `.bin`, `.txt` or `.vec`, optionally with `.gz`, `.xz` or `.bz2` after it.
        wanted: words to keep; None keeps all of them (3.6 GB of memory for GoogleNews).
        word_dim: length that the vectors must have; None accepts any.

    Returns:
        Words, and float32 vectors of shape (V, W), all finite, possibly zero.

    Raises:
        ValueError: the file is missing, empty, cut, of another format or dimension, its header
            promises more than it holds, or a kept row is not finite or occurs twice.
    """
    return _read(path, wanted, word_dim, keep_vectors=True)


def check_file(path: Path, word_dim: int | None) -> tuple[int, int]:
    """Return the numbers of words and of dimensions that a file's header promises.

    Cheap, so that a long run can refuse a wrong file at its start.

    Raises:
        ValueError: as `read_vectors`, as far as name, size and header tell.
    """
    binary = _is_binary(path)
    num_words, found_dim = _read_header(path)
    if word_dim is not None and found_dim != word_dim:
        raise ValueError(
            f"words.word_dim: wanted vectors of {word_dim}, got {found_dim} in {path}"
        )
    if path.suffix.lower() not in PACKED:
        _check_size(path, num_words, found_dim, binary)
    return num_words, found_dim


def _read(
    path: Path, wanted: Set[str] | None, word_dim: int | None, keep_vectors: bool
) -> tuple[list[str], npt.NDArray[np.float32]]:
    num_words, found_dim = check_file(path, word_dim)
    binary = _is_binary(path)
    rows = _Rows(path, wanted, keep_vectors)
    try:
        _check_size(path, num_words, found_dim, binary)
        _load(path, binary, rows)
    except (*CUT, OSError) as error:
        raise ValueError(
            f"{path}: wanted {num_words} word vectors as its header says, got a cut file ({error})"
        ) from error
    except (_RowError, UnsafeError):
        raise
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{path}: wanted word2vec rows in UTF-8, got {error}") from error
    return list(rows.kept), rows.rows_VW[: len(rows.kept)]


class _RowError(ValueError):
    """A row that our own checks refuse; its message already names the file."""


def _is_binary(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    kind = suffixes[-1] if suffixes else ""
    if kind not in (*_BINARY, *_TEXT):
        raise ValueError(
            f"words.vectors: wanted a word2vec file named .bin, .txt or .vec (also with .gz, .xz "
            f"or .bz2), got {path.name}; gensim's own files can run code when opened and are "
            "never read, save them with save_word2vec_format first"
        )
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise ValueError(f"words.vectors: wanted a word2vec file, got {what}: {path}")
    return kind in _BINARY


def _read_header(path: Path) -> tuple[int, int]:
    from gensim import utils

    try:
        with utils.open(str(path), "rb") as file:
            line = file.readline(_HEADER_BYTES)
    except (EOFError, OSError) as error:
        raise ValueError(f"{path}: wanted a word2vec file, got {error}") from error
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        got = "an empty file" if not line else repr(line[:40])
        raise ValueError(f"{path}: wanted a first line of two numbers, words and size, got {got}")
    num_words, word_dim = int(fields[0]), int(fields[1])
    if not num_words or not word_dim:
        raise ValueError(f"{path}: wanted word vectors, got a header of {num_words} x {word_dim}")
    return num_words, word_dim


def _check_size(path: Path, num_words: int, word_dim: int, binary: bool) -> None:
    """Refuse a header that promises more than the file can hold; a packed one is read for it."""
    needed, size = num_words * word_dim * (4 if binary else 2), unpacked_size(path)
    if needed > size:
        raise _RowError(
            f"{path}: its header promises {num_words} x {word_dim} numbers, wanted at least "
            f"{needed} bytes, got {size}; the file was cut or is not word2vec"
        )


class _Rows:
    """Collects wanted rows and refuses bad ones; `kept` is word -> row of `rows_VW`."""

    def __init__(self, path: Path, wanted: Set[str] | None, keep_vectors: bool) -> None:
        self.kept: dict[str, int] = {}
        self.rows_VW = np.zeros((0, 0), dtype=np.float32)
        self._path, self._wanted, self._keep_vectors = path, wanted, keep_vectors

    def start(self, num_words: int, word_dim: int) -> None:
        """Make room for as many rows as can be kept."""
        most = num_words if self._wanted is None else min(num_words, len(self._wanted))
        self.rows_VW = np.zeros((most if self._keep_vectors else 0, word_dim), dtype=np.float32)

    def add(self, word: str, vector: Any) -> None:
        """Keep the row if it is wanted."""
        if self._wanted is not None and word not in self._wanted:
            return
        row = len(self.kept)
        if self.kept.setdefault(word, row) != row:
            raise _RowError(f"{self._path}: wanted each word once, got {word!r} twice")
        if self._keep_vectors:
            self.rows_VW[row] = self._checked(word, vector)

    def _checked(self, word: str, vector: Any) -> npt.NDArray[np.float32]:
        word_dim = self.rows_VW.shape[1]
        if len(vector) != word_dim:
            raise _RowError(
                f"{self._path}: wanted {word_dim} numbers in each row, "
                f"got {len(vector)} for {word!r}"
            )
        numbers = np.asarray(vector, dtype=np.float32)
        if not np.isfinite(numbers).all():
            raise _RowError(f"{self._path}: wanted finite numbers, got NaN or inf for {word!r}")
        return numbers


def _load(path: Path, binary: bool, rows: _Rows) -> None:
    """Let gensim parse the file into `rows`."""
    from gensim.models import KeyedVectors

    class Reader(KeyedVectors):  # type: ignore[misc]  # gensim ships no types
        """Receives every row from gensim's parser and holds none."""

        def __init__(self, vector_size: int, count: int, dtype: Any) -> None:
            super().__init__(vector_size, 0, dtype)
            rows.start(count, vector_size)

        def has_index_for(self, key: str) -> bool:
            """Report nothing as known: words that occur twice are refused by `rows`."""
            return False

        def set_vecattr(self, *_: Any) -> None:
            """Keep no invented counts."""

        def add_vector(self, key: str, vector: Any) -> int:
            """Pass the row on."""
            self.next_index += 1  # gensim's parser reads it to know where to stop
            rows.add(key, vector)
            return 0

    Reader.load_word2vec_format(str(path), binary=binary)
