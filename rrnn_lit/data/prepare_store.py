"""Last part of `rrnn prepare`: tokens to word_ids, the four stores and the figures about them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rrnn_lit.data.deduplicate import EVALUATION, TRAIN, Assignment
from rrnn_lit.data.encoded_shards import Block, EncodedShards, EncodeShard
from rrnn_lit.data.executors import FEW, Executor, run_tasks
from rrnn_lit.data.prepare_words import PhraseCutter
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.shards import WorkFolder
from rrnn_lit.data.token_store import SPLITS, write_blocks
from rrnn_lit.words.vectors import WordVectors


def write_splits(
    out: Path,
    work: WorkFolder,
    assignment: Assignment,
    cutter: PhraseCutter,
    executor: Executor,
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
    num_sentences = sum(map(len, assignment.codes))
    with progress.stage("encode", num_sentences, "sentences"):
        results = run_tasks(function, enumerate(assignment.codes), executor, FEW)
        for codes, shard_too_long in zip(assignment.codes, results, strict=True):
            too_long += shard_too_long
            progress.advance(len(codes))
    unk_id = WordVectors.load(out).unk_id
    figures = {}
    with progress.stage("write", num_sentences, "sentences"):
        for code, split in enumerate(SPLITS):
            blocks = _train_blocks(encoded, assignment, progress)
            if code != TRAIN:
                blocks = iter([_ordered(encoded, assignment, code)])
            counted = SplitFigures(unk_id)
            write_blocks(out, split, counted.through(blocks))
            figures[split] = counted.as_dict() | {
                "dropped_too_long_after_cutting_phrases": int(too_long[code])
            }
            if not counted.num_sentences:
                raise ValueError(
                    f"splits.{split}: wanted at least one sentence, got none of "
                    f"{num_sentences}; give more text or a larger share"
                )
    return figures


def _train_blocks(
    encoded: EncodedShards, assignment: Assignment, progress: StageProgress
) -> Iterator[Block]:
    for number, codes in enumerate(assignment.codes):
        yield encoded.train(number)
        progress.advance(len(codes))


def _ordered(encoded: EncodedShards, assignment: Assignment, code: int) -> Block:
    """Return one evaluation split by rising digest; it is small enough to be in memory."""
    parts = []
    for number, codes in enumerate(assignment.codes):
        mask = codes[np.isin(codes, EVALUATION)] == code
        if mask.any():
            word_ids, lengths = encoded.others(number)
            # zeros stay: positions
            parts.append((word_ids[np.repeat(mask, lengths)], lengths[mask]))
    empty = np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int64)
    word_ids = np.concatenate([part[0] for part in (empty, *parts)])
    lengths = np.concatenate([part[1] for part in (empty, *parts)])
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
