"""Last part of `rrnn prepare`: tokens to word_ids, the four stores and the figures about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.deduplicate import HOLDOUT, TRAIN, Assignment, Codes
from rrnn_lit.data.prepare_words import PhraseCutter
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.shards import Shards, WorkFolder, write_durably
from rrnn_lit.data.task_pool import FEW, run_tasks
from rrnn_lit.data.token_store import SPLITS, write_blocks
from rrnn_lit.words.vectors import WordVectors

Block = tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]  # flat word_ids, lengths


@dataclass(frozen=True)
class EncodedShards:
    """Word_ids of each shard; a sentence that is not stored has length 0."""

    folder: Path

    def write(self, number: int, word_ids: list[int], lengths: list[int]) -> None:
        """Write one shard."""
        self.folder.mkdir(parents=True, exist_ok=True)
        head = np.array([len(lengths), *lengths], dtype="<u4").tobytes()
        write_durably(self._path(number), head + np.array(word_ids, dtype="<u4").tobytes())

    def read(self, number: int) -> Block:
        """Return flat word_ids and lengths of one shard."""
        numbers = np.fromfile(self._path(number), dtype="<u4")
        end = 1 + int(numbers[0])
        return numbers[end:], numbers[1:end].astype(np.int64)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05d}.u4"


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
        self._dictionary: WordVectors | None = None  # opened in the process that uses it

    def __call__(self, task: tuple[int, Codes]) -> list[int]:
        """Encode `(shard number, split codes)`; return how many became too long, per split."""
        if self._dictionary is None:
            self._dictionary = WordVectors.load(self._folder)
        number, codes = task
        word_ids: list[int] = []
        lengths: list[int] = []
        too_long = [0] * len(SPLITS)
        for line, code in zip(self._text.lines(number), codes.tolist(), strict=True):
            tokens = self._cutter(line) if code <= HOLDOUT else None
            if tokens is None:
                lengths.append(0)
                if code <= HOLDOUT:
                    too_long[code] += 1
                continue
            sentence = self._dictionary.encode(tokens)
            word_ids.extend(sentence)
            lengths.append(len(sentence))
        self._encoded.write(number, word_ids, lengths)
        return too_long


def write_splits(
    out: Path,
    work: WorkFolder,
    assignment: Assignment,
    cutter: PhraseCutter,
    processes: int,
    progress: StageProgress,
) -> dict[str, Any]:
    """Write the stores of all splits; return the figures of each.

    Train keeps the order of the input; the others are ordered by digest.

    Raises:
        ValueError: a split is empty.
    """
    encoded = EncodedShards(work.folder / "ids")
    function = EncodeShard(work.text, encoded, out, cutter)
    too_long = np.zeros(len(SPLITS), dtype=np.int64)
    with progress.stage("encode", sum(map(len, assignment.codes)), "sentences"):
        workers = processes if len(assignment.codes) > FEW else 1
        results = run_tasks(function, enumerate(assignment.codes), workers)
        for codes, shard_too_long in zip(assignment.codes, results, strict=True):
            too_long += shard_too_long
            progress.advance(len(codes))
    dictionary = WordVectors.load(out)
    figures = {}
    for code, split in enumerate(SPLITS):
        blocks = _train_blocks(encoded, assignment.codes)
        if code != TRAIN:
            blocks = iter([_ordered(encoded, assignment, code)])
        counted = SplitFigures(dictionary.unk_id)
        write_blocks(out, split, counted.through(blocks))
        figures[split] = counted.as_dict() | {
            "dropped_too_long_after_cutting_phrases": int(too_long[code])
        }
        if not counted.num_sentences:
            raise ValueError(
                f"splits.{split}: wanted at least one sentence, got none of "
                f"{sum(map(len, assignment.codes))}; give more text or a larger share"
            )
    return figures


def _select(block: Block, mask: npt.NDArray[np.bool_]) -> Block:
    word_ids, lengths = block
    return word_ids[np.repeat(mask, lengths)], lengths[mask & (lengths > 0)]


def _train_blocks(encoded: EncodedShards, codes: list[Codes]) -> Iterator[Block]:
    for number, shard_codes in enumerate(codes):
        yield _select(encoded.read(number), shard_codes == TRAIN)


def _ordered(encoded: EncodedShards, assignment: Assignment, code: int) -> Block:
    """Return one evaluation split by rising digest; it is small enough to be in memory."""
    parts = []
    for number, codes in enumerate(assignment.codes):
        word_ids, lengths = encoded.read(number)
        mask = codes == code
        parts.append((word_ids[np.repeat(mask, lengths)], lengths[mask]))  # zeros stay: positions
    word_ids = np.concatenate([part[0] for part in parts])
    lengths = np.concatenate([part[1] for part in parts])
    places = assignment.order[code]
    reading_order = np.lexsort((places[:, 1], places[:, 0]))
    position = np.empty_like(reading_order)  # of each sentence, by digest, in the arrays above
    position[reading_order] = np.arange(len(places))
    starts = np.cumsum(lengths) - lengths
    chosen = lengths[position]
    shift = starts[position] - (np.cumsum(chosen) - chosen)
    flat = np.arange(int(chosen.sum())) + np.repeat(shift, chosen)
    return word_ids[flat], chosen[chosen > 0]


class SplitFigures:
    """Counts sentences, words, UNK and lengths of blocks on their way to the disk."""

    def __init__(self, unk_id: int) -> None:
        self.num_sentences = 0
        self._unk_id = unk_id
        self._unknown = 0
        self._lengths = np.zeros(1, dtype=np.int64)

    def through(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield the blocks unchanged."""
        for word_ids, lengths in blocks:
            self.num_sentences += len(lengths)
            self._unknown += int((word_ids == self._unk_id).sum())
            size = max(len(self._lengths), int(lengths.max(initial=0)) + 1)
            histogram = np.bincount(lengths, minlength=size)
            histogram[: len(self._lengths)] += self._lengths
            self._lengths = histogram
            yield word_ids, lengths

    def as_dict(self) -> dict[str, Any]:
        """Return the figures; lengths and words include EOS, the rate of UNK leaves it out."""
        num_words = int(self._lengths @ np.arange(len(self._lengths)))
        text_words = num_words - self.num_sentences
        return {
            "sentences": self.num_sentences,
            "words": num_words,
            "mean_length": round(num_words / max(self.num_sentences, 1), 4),
            "unknown_words": self._unknown,
            "unknown_rate": round(self._unknown / max(text_words, 1), 6),
            "length_histogram": {
                str(length): int(n) for length, n in enumerate(self._lengths) if n
            },
        }
