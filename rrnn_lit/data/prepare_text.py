"""First half of `rrnn prepare`: read raw sentences, drop duplicates, make tokens, share them out.

Each step works shard by shard in worker processes and leaves durable files behind; duplicates
and splits are decided in between by this process from the digests alone.
"""

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.deduplicate import (
    DUPLICATE,
    Assignment,
    RangeResult,
    Shares,
    assign_splits,
    by_shard,
    first_occurrences,
)
from rrnn_lit.data.digest_ranges import DigestRanges, look_at_all, split_digests
from rrnn_lit.data.executors import Executor, run_tasks
from rrnn_lit.data.manifest import write_json
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.shards import Shards, WorkFolder, read_json, write_array, write_lines
from rrnn_lit.data.sources.files import read_lines
from rrnn_lit.data.sources.raw import RawSource, ReadTask
from rrnn_lit.text.counts import CountTable, merge_count_tables
from rrnn_lit.text.pipeline import TextPipeline, TextSettings
from rrnn_lit.whole_files import written_durably
from rrnn_lit.words.word2vec import read_vocabulary

Mask = npt.NDArray[np.bool_]
KNOWN_WORDS_FILE = "known_words.txt"  # there when vectors or a word list were given
WHOLE_PHRASES_FILE = "whole_phrases.txt"  # there when rare phrases were cut
KEPT_FILES = (KNOWN_WORDS_FILE, WHOLE_PHRASES_FILE)


@dataclass(frozen=True)
class ReadShard:
    """Worker: writes a task's raw sentences as a shard and returns their number."""

    shards: Shards

    def __call__(self, task: ReadTask) -> int:
        """Write the shard unless an earlier start has."""
        if not self.shards.is_done(task.number):
            self.shards.write(task.number, task.sentences(), {})
        return int(self.shards.counters(task.number)["sentences"])


def read_source(
    source: RawSource, work: WorkFolder, executor: Executor, progress: StageProgress
) -> dict[str, Any]:
    """Write the raw shards; return their sizes and the source's counters.

    Raises:
        ValueError: the source has no sentence.
    """
    summary = work.folder / "read.json"
    if summary.is_file():
        return read_json(summary)
    amounts: list[int] = []

    def tasks() -> Iterator[ReadTask]:
        for task, amount in source.tasks():
            amounts.append(amount)
            yield task

    sizes: list[int] = []
    with progress.stage("read", source.total, source.unit):
        for size in run_tasks(ReadShard(work.raw), tasks(), executor):
            progress.advance(amounts[len(sizes)])
            sizes.append(size)
    if not sum(sizes):
        raise ValueError("source: wanted at least one sentence, got none (blank lines only?)")
    read = {"sizes": sizes, "counters": source.counters()}
    write_json(summary, read)
    return read


def write_known_words(
    vectors: str | None, word_list: str | None, work: WorkFolder, progress: StageProgress
) -> Path | None:
    """Write the words that decide contractions and phrases, one a line; None when none are known.

    Raises:
        ValueError: the file of words or vectors is missing or bad.
    """
    if vectors is None and word_list is None:
        return None
    path = work.folder / "known_words.txt"
    if not path.is_file():
        with progress.stage("known words", None, "words"):
            words = read_lines(Path(str(word_list)))
            if vectors is not None:
                words = iter(read_vocabulary(Path(vectors)))
            # no token holds a line feed, so a word that does can never match
            num_words = write_lines(path, (word for word in words if word and "\n" not in word))
            progress.advance(num_words)
        if not num_words:
            path.unlink()
            raise ValueError(f"words.word_list: wanted at least one word, got none in {word_list}")
    return path


def keep_words(out: Path, known: Path | None, whole: frozenset[str] | None) -> None:
    """Keep what decided phrases and contractions beside the prepared text.

    Other sentences can then be made into words exactly as these were.

    Args:
        out: the prepared folder.
        known: file of known words, one a line; None when there were none.
        whole: phrases that stayed whole; None when all did.
    """
    for name in KEPT_FILES:
        (out / name).unlink(missing_ok=True)  # of another configuration that was never finished
    if known is not None:
        shutil.copyfile(known, out / KNOWN_WORDS_FILE)
    if whole is not None:
        write_lines(out / WHOLE_PHRASES_FILE, sorted(whole))


class ProcessShard:
    """Worker: turns the kept sentences of a raw shard into tokens.

    The raw shard goes when its tokens are there: a text need not be on the disk twice.

    Args:
        raw: shards to read.
        text: shards to write: tokens joined by spaces, a line a sentence.
        settings: of the text pipeline.
        known_words: file of known words; None when vectors will be trained without a list.
    """

    def __init__(
        self, raw: Shards, text: Shards, settings: TextSettings, known_words: Path | None
    ) -> None:
        self._raw, self._text = raw, text
        self._settings, self._known_words = settings, known_words
        self._pipeline: TextPipeline | None = None  # built in the process that uses it

    def __call__(self, task: tuple[int, Mask]) -> int:
        """Write the shard of `(number, mask of kept sentences)` unless an earlier start has."""
        number, mask = task
        if not self._text.is_done(number):
            if self._pipeline is None:
                self._pipeline = TextPipeline(self._settings, _known(self._known_words))
            before = self._pipeline.count_table()
            kept = itertools.compress(self._raw.lines(number), mask.tolist())
            results = self._pipeline.each(kept)
            lines = [" ".join(tokens) for tokens in results if tokens is not None]
            steps = _difference(self._pipeline.count_table(), before)
            self._text.write(number, lines, {"steps": steps})
        self._raw.drop_text(number)
        return int(self._text.counters(number)["sentences"])


def _known(path: Path | None) -> frozenset[str] | None:
    if path is None:
        return None
    # newline="\n": vocabularies hold words such as U+0085 that other modes take for line ends
    with open(path, encoding="utf-8", newline="\n") as file:
        return frozenset(line[:-1] for line in file)


def _difference(after: CountTable, before: CountTable) -> CountTable:
    return {
        step: {name: number - before[step][name] for name, number in counts.items()}
        for step, counts in after.items()
    }


def drop_raw_duplicates(
    work: WorkFolder,
    sizes: list[int],
    max_sentences: int | None,
    executor: Executor,
    progress: StageProgress,
) -> tuple[list[Mask], int]:
    """Return per raw shard a mask of the sentences to keep, and the number of duplicates."""
    path = work.folder / "raw_firsts.npy"
    num_sentences = sum(sizes)
    if not path.is_file():
        ranges = split_digests(work.folder / "raw_digests", work.raw, sizes)
        results = _look_at(ranges, None, executor, progress, "raw duplicates")
        write_array(path, first_occurrences(results, num_sentences))
        _delete_digests(ranges, work.raw, len(sizes))
    firsts = np.load(path, allow_pickle=False)
    taken = num_sentences if max_sentences is None else min(max_sentences, num_sentences)
    duplicates = taken - int(np.count_nonzero(firsts[:taken]))
    firsts[taken:] = False
    return by_shard(firsts, sizes), duplicates


def _look_at(
    ranges: DigestRanges,
    shares: Shares | None,
    executor: Executor,
    progress: StageProgress,
    name: str,
) -> Iterator[RangeResult]:
    with progress.stage(name, ranges.num_parts, "parts"):
        for result in look_at_all(ranges, shares, executor):
            progress.advance(1)
            if result is not None:
                yield result


def _delete_digests(ranges: DigestRanges, shards: Shards, num_shards: int) -> None:
    for number in range(num_shards):
        shards.drop_digests(number)
    ranges.delete()


def with_kept_corrections(settings: TextSettings, work: WorkFolder) -> TextSettings:
    """Return the settings with a copy of the corrections beside the work.

    Workers of other machines read it there, and what they read is what the inputs' digests say.
    """
    if settings.corrections is None:
        return settings
    path = work.folder / "corrections.tsv"
    if not path.is_file():
        with written_durably(path) as file:
            file.write(Path(settings.corrections).read_bytes())
    return replace(settings, corrections=str(path))


def process_text(
    work: WorkFolder,
    masks: list[Mask],
    settings: TextSettings,
    known_words: Path | None,
    executor: Executor,
    progress: StageProgress,
) -> list[int]:
    """Write the shards of tokens; return their sizes."""
    function = ProcessShard(work.raw, work.text, settings, known_words)
    amounts = [int(np.count_nonzero(mask)) for mask in masks]
    done = [work.text.is_done(number) for number in range(len(masks))]
    sizes: list[int] = []
    with progress.stage("text", sum(amounts), "sentences"):
        for size in run_tasks(function, enumerate(masks), executor):
            number = len(sizes)
            progress.advance(amounts[number], reused=done[number])
            sizes.append(size)
    return sizes


def share_out(
    work: WorkFolder,
    sizes: list[int],
    shares: Shares,
    executor: Executor,
    progress: StageProgress,
) -> tuple[Assignment, dict[str, Any]]:
    """Drop duplicates, assign splits and return the text's part of the statistics.

    Raises:
        ValueError: no sentence is left.
    """
    ranges = split_digests(work.folder / "text_digests", work.text, sizes)
    results = _look_at(ranges, shares, executor, progress, "duplicates")
    assignment = assign_splits(results, sizes, shares)
    for number in range(len(sizes)):
        work.text.drop_digests(number)  # a next start finds them in the ranges
    steps = merge_count_tables(work.text.counters(number)["steps"] for number in range(len(sizes)))
    duplicates = sum(int((codes == DUPLICATE).sum()) for codes in assignment.codes)
    if sum(sizes) == 0:
        raise ValueError(
            f"source: wanted sentences that pass every step of the text, got none; steps: {steps}"
        )
    return assignment, {"steps": steps, "duplicates_after_processing": duplicates}
