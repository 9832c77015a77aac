"""Word_ids of each shard on the disk: the train sentences ready to copy, the others apart.

A file holds little-endian unsigned 32-bit numbers: how many train sentences, how many others, how
many became too long in each split; then the lengths and word_ids of train, then those of the
others in the order of the text. A sentence among the others that became too long has length 0, so
that places are kept.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.deduplicate import HOLDOUT, TRAIN, Codes
from rrnn_lit.data.prepare_words import PhraseCutter
from rrnn_lit.data.shards import Shards, write_durably
from rrnn_lit.data.token_store import SPLITS
from rrnn_lit.words.special import EOS, UNK
from rrnn_lit.words.vectors import WORDS_FILE

Block = tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]  # flat word_ids, lengths
_HEAD = 2 + len(SPLITS)
_WORD = 4  # bytes


@dataclass(frozen=True)
class EncodedShards:
    """The files of one folder, which exists."""

    folder: Path

    def is_done(self, number: int) -> bool:
        """Tell whether the shard was written completely."""
        return self._path(number).is_file()

    def write(self, number: int, train: "Sentences", others: "Sentences", head: list[int]) -> None:
        """Write one shard; `head` are the sentences too long, per split."""
        start = array("I", [len(train.lengths), len(others.lengths), *head])
        parts = (start, train.lengths, train.word_ids, others.lengths, others.word_ids)
        numbers = (np.frombuffer(part, dtype=np.uint32).astype("<u4") for part in parts)
        content = b"".join(part.tobytes() for part in numbers)
        write_durably(self._path(number), content)

    def too_long(self, number: int) -> list[int]:
        """Return how many sentences of each split became too long."""
        return list(map(int, self._numbers(number, 0, _HEAD)[2:]))

    def train(self, number: int) -> Block:
        """Return the train sentences."""
        size, _ = self._sizes(number)
        lengths = self._numbers(number, _HEAD, size).astype(np.int64)
        return self._numbers(number, _HEAD + size, int(lengths.sum())), lengths

    def others(self, number: int) -> Block:
        """Return the sentences of the other splits; those that are not stored have length 0."""
        train_size, size = self._sizes(number)
        words = int(self._numbers(number, _HEAD, train_size).sum(dtype=np.int64))
        start = _HEAD + train_size + words
        lengths = self._numbers(number, start, size).astype(np.int64)
        return self._numbers(number, start + size, int(lengths.sum())), lengths

    def _sizes(self, number: int) -> tuple[int, int]:
        train, others = self._numbers(number, 0, 2).tolist()
        return train, others

    def _numbers(self, number: int, start: int, count: int) -> npt.NDArray[np.uint32]:
        path = self._path(number)
        found = np.fromfile(path, dtype="<u4", count=count, offset=start * _WORD)
        if len(found) != count:
            raise ValueError(f"{path}: wanted {count} numbers from {start}, got {len(found)}")
        return found.astype(np.uint32, copy=False)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05d}.u4"


class Sentences:
    """Word_ids end to end, and the lengths of their sentences."""

    def __init__(self) -> None:
        self.word_ids, self.lengths = array("I"), array("I")

    def add(self, word_ids: Iterable[int]) -> None:
        """Append a sentence."""
        before = len(self.word_ids)
        self.word_ids.extend(word_ids)
        self.lengths.append(len(self.word_ids) - before)


class EncodeShard:
    """Worker: tokens of a shard to word_ids.

    Args:
        text: shards of tokens.
        encoded: where the word_ids go.
        dictionary_folder: where the dictionary was saved.
        cutter: of rare phrases.
    """

    def __init__(
        self, text: Shards, encoded: EncodedShards, dictionary_folder: Path, cutter: PhraseCutter
    ) -> None:
        self._text, self._encoded, self._cutter = text, encoded, cutter
        self._folder = dictionary_folder
        self._word_ids: _WordIds | None = None  # read in the process that uses it

    def __call__(self, task: tuple[int, Codes]) -> list[int]:
        """Encode `(shard number, split codes)`; return how many became too long, per split.

        A shard that an earlier start has written is left as it is.
        """
        number, codes = task
        if not self._encoded.is_done(number):
            self._encode(number, codes)
        return self._encoded.too_long(number)

    def _encode(self, number: int, codes: Codes) -> None:
        if self._word_ids is None:
            self._word_ids = _WordIds(self._folder / WORDS_FILE)
        word_id, eos = self._word_ids.__getitem__, (self._word_ids[EOS],)
        train, others = Sentences(), Sentences()
        too_long = [0] * len(SPLITS)
        for line, code in zip(self._text.lines(number), codes.tolist(), strict=True):
            if code > HOLDOUT:
                continue
            tokens = self._cutter(line)
            if tokens is None:
                too_long[code] += 1
                if code != TRAIN:
                    others.add(())
                continue
            (train if code == TRAIN else others).add((*map(word_id, tokens), *eos))
        self._encoded.write(number, train, others, too_long)


class _WordIds(dict[str, int]):
    """Word -> word_id; that of UNK for any other."""

    def __init__(self, path: Path) -> None:
        words = path.read_bytes().decode().split("\n")[:-1]
        super().__init__(zip(words, range(len(words)), strict=True))
        self._unk_id = self[UNK]

    def __missing__(self, word: str) -> int:
        return self._unk_id
