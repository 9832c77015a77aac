"""Sentences of one split as flat word_ids and offsets, memory-mapped.

Files `<split>.word_ids.npy` (uint32, all sentences end to end, EOS included) and
`<split>.offsets.npy` (int64, one more than sentences).

Shapes: B sentences, T words of the longest of them.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.manifest import DataError
from rrnn_lit.whole_files import written_durably
from rrnn_lit.words.arrays import map_array

SPLITS = ("train", "tune", "test", "holdout")


def store_files(split: str) -> tuple[str, str]:
    """Return the two file names of a split: word_ids, offsets."""
    return f"{split}.word_ids.npy", f"{split}.offsets.npy"


def write_store(folder: Path, split: str, sentences: Iterable[list[int]]) -> int:
    """Write the sentences (lists of word_ids, EOS last) of a split; return their number."""
    blocks = (
        (np.asarray(sentence, dtype=np.uint32), np.array([len(sentence)]))
        for sentence in sentences
    )
    return write_blocks(folder, split, blocks)


def write_blocks(
    folder: Path,
    split: str,
    blocks: Iterable[tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]],
) -> int:
    """Write a split from blocks of (flat word_ids, sentence lengths); return its sentences.

    Nothing but a block is in memory. Plain writes, no memory map: on a full disk a write raises
    where a map would kill the process.
    """
    words_name, offsets_name = store_files(split)
    num_words = num_sentences = 0
    names = folder / words_name, folder / offsets_name
    with written_durably(names[0]) as words, written_durably(names[1]) as offsets:
        _write_header(words, "<u4", 0)
        _write_header(offsets, "<i8", 0)
        offsets.write(np.zeros(1, dtype="<i8").tobytes())
        for word_ids, lengths in blocks:
            words.write(np.asarray(word_ids, dtype="<u4").tobytes())
            ends = num_words + np.cumsum(lengths, dtype="<i8")
            offsets.write(ends.astype("<i8", copy=False).tobytes())
            num_words += len(word_ids)
            num_sentences += len(lengths)
        _write_header(words, "<u4", num_words)
        _write_header(offsets, "<i8", num_sentences + 1)
    return num_sentences


def _write_header(file: IO[bytes], dtype: str, size: int) -> None:
    """Write the header of a flat .npy file; numpy keeps room in it for a size of any length."""
    file.seek(0)
    header = {"descr": dtype, "fortran_order": False, "shape": (size,)}
    np.lib.format.write_array_header_1_0(file, header)


class TokenStore:
    """Random access to the sentences of one split.

    Args:
        folder: a prepared folder.
        split: one of `SPLITS`.
        vocab_size: number of dictionary rows; every word_id must be below it.
        max_words: longest sentence allowed, EOS included.

    Raises:
        DataError: the files disagree with each other, with the dictionary or with the limit.
    """

    def __init__(self, folder: Path, split: str, vocab_size: int, max_words: int) -> None:
        words_name, offsets_name = store_files(split)
        self.name = split
        self._word_ids = _load(folder / words_name, "<u4")
        self._offsets = _load(folder / offsets_name, "<i8")
        self.lengths = np.diff(self._offsets).astype(np.int64)
        self._check(folder / words_name, vocab_size, max_words)

    def _check(self, path: Path, vocab_size: int, max_words: int) -> None:
        start, end = (int(self._offsets[i]) for i in (0, -1)) if len(self._offsets) else (0, -1)
        if start or end != len(self._word_ids) or (self.lengths <= 0).any():
            raise DataError(f"{path}: its length and the offsets of the sentences disagree")
        if self.num_sentences and self.lengths.max() > max_words:
            longest = int(self.lengths.argmax())
            raise DataError(
                f"{path}: wanted sentences of at most {max_words} words, "
                f"got {self.lengths[longest]} in sentence {longest}"
            )
        for start in range(0, len(self._word_ids), 1 << 24):
            highest = int(self._word_ids[start : start + (1 << 24)].max())
            if highest >= vocab_size:
                raise DataError(f"{path}: wanted word_ids below {vocab_size}, got {highest}")

    @property
    def num_sentences(self) -> int:
        """Number of sentences of the split."""
        return len(self.lengths)

    def sentence(self, number: int) -> npt.NDArray[np.int64]:
        """Return the word_ids of one sentence, EOS included."""
        start, end = self._offsets[number], self._offsets[number + 1]
        return np.asarray(self._word_ids[start:end], dtype=np.int64)

    def batch(
        self, numbers: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (word_ids_BT, lengths_B); positions beyond a sentence's length hold 0."""
        lengths_B = self.lengths[numbers]
        positions_T = np.arange(lengths_B.max())
        inside_BT = positions_T < lengths_B[:, None]
        word_ids_BT = np.zeros(inside_BT.shape, dtype=np.int64)
        places_BT = self._offsets[numbers][:, None] + positions_T
        word_ids_BT[inside_BT] = self._word_ids[places_BT[inside_BT]]
        return word_ids_BT, lengths_B


def _load(path: Path, dtype: str) -> npt.NDArray[np.int64]:
    try:
        array = map_array(path, dtype, 1)
    except ValueError as error:
        raise DataError(str(error)) from error
    return np.asarray(array) if array.size == 0 else array
