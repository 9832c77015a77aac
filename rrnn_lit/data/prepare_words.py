"""Middle of `rrnn prepare`: count the words of train, find or train their vectors.

Sentences are read from the shards of tokens; the dictionary itself is built in `words/`.

Shapes: V words, W word_dim.
"""

import io
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.deduplicate import TRAIN, Codes
from rrnn_lit.data.executors import FEW, Executor, run_tasks
from rrnn_lit.data.prepare_config import WordSettings
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.shards import Shards, WorkFolder, write_durably
from rrnn_lit.words.dictionary import from_file, names_in_file
from rrnn_lit.words.special import EOS, UNK
from rrnn_lit.words.train import TrainSettings, train_vectors
from rrnn_lit.words.word2vec import read_vectors

Counts = dict[str, int]


@dataclass(frozen=True)
class PhraseCutter:
    """Cuts phrases (`Old_Mill_Lane`) without a vector back into words; trained vectors only.

    Args:
        whole: phrases to leave whole; None leaves all.
        max_words: longest sentence, EOS included.
    """

    whole: frozenset[str] | None
    max_words: int

    def __call__(self, line: str) -> list[str] | None:
        """Return the tokens of a line; None when cutting made it longer than allowed."""
        tokens = line.split(" ")
        if self.whole is None or "_" not in line:
            return tokens
        cut = [part for token in tokens for part in self._parts(token)]
        return cut if len(cut) < self.max_words else None

    def _parts(self, token: str) -> list[str]:
        assert self.whole is not None
        if not is_phrase(token) or token in self.whole:
            return [token]
        return [f"{part}_" if part in (EOS, UNK) else part for part in token.split("_")]


def is_phrase(token: str) -> bool:
    """Tell a merged phrase from a word such as `EOS_`."""
    return "_" in token and all(token.split("_"))


@dataclass(frozen=True)
class CountWords:
    """Worker: counts the words of a shard's train sentences."""

    text: Shards
    cutter: PhraseCutter

    def __call__(self, task: tuple[int, Codes]) -> Counts:
        """Return word -> occurrences for `(shard number, split codes)`."""
        number, codes = task
        tokens = train_tokens(self.text, number, codes, self.cutter)
        return dict(Counter(itertools.chain.from_iterable(tokens)))


def train_tokens(
    text: Shards, number: int, codes: Codes, cutter: PhraseCutter
) -> Iterator[list[str]]:
    """Yield the token lists of a shard's train sentences."""
    for line in itertools.compress(text.lines(number), (codes == TRAIN).tolist()):
        tokens = cutter(line)
        if tokens is not None:
            yield tokens


def count_words(
    work: WorkFolder,
    codes: list[Codes],
    max_words: int,
    phrases_from: int,
    executor: Executor,
    progress: StageProgress,
) -> tuple[Counts, PhraseCutter]:
    """Return the counts over train and the cutter for phrases rarer than `phrases_from`.

    Args:
        work: with the shards of tokens.
        codes: split of every sentence.
        max_words: longest sentence, EOS included.
        phrases_from: a phrase needs this many occurrences to stay whole; 0 keeps all.
        executor: where shards are counted.
        progress: shows the stage.
    """
    cutter = PhraseCutter(None, max_words)
    counts = _count(work, codes, cutter, executor, progress, "count")
    phrases = {word: count for word, count in counts.items() if is_phrase(word)}
    whole = frozenset(word for word, count in phrases.items() if count >= phrases_from)
    if phrases_from and phrases:
        cutter = PhraseCutter(whole, max_words)
        counts = _count(work, codes, cutter, executor, progress, "count again")
    return counts, cutter


def _count(
    work: WorkFolder,
    codes: list[Codes],
    cutter: PhraseCutter,
    executor: Executor,
    progress: StageProgress,
    name: str,
) -> Counts:
    counts: Counter[str] = Counter()
    function = CountWords(work.text, cutter)
    with progress.stage(name, sum(map(len, codes)), "sentences"):
        results = run_tasks(function, enumerate(codes), executor, FEW)
        for shard, found in zip(codes, results, strict=True):
            counts.update(found)
            progress.advance(len(shard))
    return counts


class TrainText:
    """The train sentences as token lists, from the start at each `iter()`."""

    def __init__(self, text: Shards, codes: list[Codes], cutter: PhraseCutter) -> None:
        self.cutter = cutter
        self._text, self._codes = text, codes

    def __iter__(self) -> Iterator[list[str]]:
        for number, codes in enumerate(self._codes):
            yield from train_tokens(self._text, number, codes, self.cutter)


def find_vectors(
    settings: WordSettings, counts: Counts, text: TrainText, folder: Path, progress: StageProgress
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return words as the text spells them and raw vectors, from the file or trained.

    Raises:
        ValueError: a bad file, or too little text to train on.
    """
    if settings.vectors is not None:
        wanted = names_in_file(counts) if settings.dictionary == "corpus" else None
        with progress.stage("vectors", None, "vectors"):
            found = read_vectors(Path(settings.vectors), wanted, settings.word_dim)
            progress.advance(len(found[0]))
        return from_file(*found)
    return _trained(settings, counts, text, folder, progress)


def _trained(
    settings: WordSettings, counts: Counts, text: TrainText, folder: Path, progress: StageProgress
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Train, or return what an earlier start of the same work has trained."""
    words_path, vectors_path = folder / "trained_words.txt", folder / "trained_vectors.npy"
    if not vectors_path.is_file():
        num_sentences = sum(1 for _ in text)
        with progress.stage("train words", num_sentences * settings.epochs, "sentences"):
            words, raw_VW = train_vectors(
                text, num_sentences, counts, _train_settings(settings), progress.advance
            )
        write_durably(words_path, "".join(f"{word}\n" for word in words).encode())
        buffer = io.BytesIO()
        np.save(buffer, raw_VW, allow_pickle=False)
        write_durably(vectors_path, buffer.getbuffer())
    words = words_path.read_bytes().decode().split("\n")[:-1]
    raw_VW = np.load(vectors_path, allow_pickle=False)
    return words, np.asarray(raw_VW)


def _train_settings(settings: WordSettings) -> TrainSettings:
    names = (
        "word_dim",
        "min_count",
        "epochs",
        "window",
        "negative",
        "sample",
        "algorithm",
        "seed",
    )
    values: dict[str, Any] = {name: getattr(settings, name) for name in names}
    return TrainSettings(**values)
