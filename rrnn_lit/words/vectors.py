"""WordVectors: the dictionary as a matrix, with word <-> word_id.

Stored as `words.txt` (one word a line, row order) and `word_vectors.npy` (float16, memory-mapped).
The stored 16-bit array *is* the dictionary: inputs, targets and matching all read it. The special
labels are the last rows. Reading word2vec files is `word2vec.py`'s business.

Shapes: V vocab_size, W word_dim.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.arrays import map_array
from rrnn_lit.words.special import BLANK, EOS, SPECIAL_LABELS, UNK

WORDS_FILE = "words.txt"
VECTORS_FILE = "word_vectors.npy"


class WordVectors:
    """All dictionary entries and their vectors, special labels last.

    Args:
        words: the V entries in row order, without duplicates.
        vectors_VW: one float16 row per entry, finite and not all zero.

    Raises:
        ValueError: sizes differ, a word occurs twice, the special labels are not the last rows,
            a row is zero or not finite.
    """

    def __init__(self, words: Sequence[str], vectors_VW: npt.NDArray[np.float16]) -> None:
        self.words = list(words)
        self.vectors_VW = vectors_VW
        self._check()

    def _check(self) -> None:
        if self.vectors_VW.ndim != 2 or len(self.words) != len(self.vectors_VW):
            raise ValueError(
                f"word vectors: wanted one row per word ({len(self.words)} words), "
                f"got an array of shape {self.vectors_VW.shape}"
            )
        if tuple(self.words[-len(SPECIAL_LABELS) :]) != SPECIAL_LABELS:
            raise ValueError(
                f"word vectors: wanted the {len(SPECIAL_LABELS)} special labels as the last "
                f"words, got {self.words[-len(SPECIAL_LABELS) :]}"
            )
        if len(self.word_ids) != len(self.words):
            twice = next(w for i, w in enumerate(self.words) if self.word_ids[w] != i)
            raise ValueError(f"word vectors: the word {twice!r} occurs twice")
        for start in range(0, len(self.words), 65_536):
            rows = np.asarray(self.vectors_VW[start : start + 65_536], dtype=np.float32)
            good = np.isfinite(rows).all(axis=1) & (rows != 0).any(axis=1)
            if not good.all():
                word = self.words[start + int(np.argmin(good))]
                raise ValueError(f"word vectors: the vector of {word!r} is zero or not finite")

    @cached_property
    def word_ids(self) -> dict[str, int]:
        """Word -> word_id."""
        return {word: i for i, word in enumerate(self.words)}

    @property
    def vocab_size(self) -> int:
        """Number of entries V, special labels included."""
        return len(self.words)

    @property
    def word_dim(self) -> int:
        """Length W of a word vector."""
        return int(self.vectors_VW.shape[1])

    @property
    def unk_id(self) -> int:
        """Row of the unknown word."""
        return self.word_ids[UNK]

    @property
    def eos_id(self) -> int:
        """Row of the end-of-sentence mark."""
        return self.word_ids[EOS]

    @property
    def blank_id(self) -> int:
        """Row of the label that stands for a blanked word."""
        return self.word_ids[BLANK]

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the word_ids of `tokens` with UNK for missing words, EOS appended."""
        unk_id = self.unk_id
        return [*(self.word_ids.get(token, unk_id) for token in tokens), self.eos_id]

    def decode(self, word_ids: Iterable[int]) -> list[str]:
        """Return the words of `word_ids`."""
        return [self.words[i] for i in word_ids]

    def save(self, folder: Path) -> None:
        """Write `words.txt` and `word_vectors.npy` into `folder`."""
        with open(folder / WORDS_FILE, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{word}\n" for word in self.words)
        np.save(folder / VECTORS_FILE, self.vectors_VW, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "WordVectors":
        """Read what `save` wrote; the matrix stays on disk and is memory-mapped.

        Raises:
            ValueError: a file is missing or damaged.
        """
        path = folder / WORDS_FILE
        try:
            # no text mode: vocabularies hold words such as U+0085 that it takes for line ends
            text = path.read_bytes().decode("utf-8")
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}: wanted words in UTF-8, got {error}") from error
        words, vectors_VW = text.split("\n"), map_array(folder / VECTORS_FILE, "<f2", 2)
        if words.pop():
            raise ValueError(f"{path}: wanted a line end behind the last word, got none")
        try:
            return cls(words, vectors_VW)
        except ValueError as error:
            raise ValueError(f"{path} and {VECTORS_FILE}: {error}") from error
