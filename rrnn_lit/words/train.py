"""Trains word vectors on the corpus with gensim, for users without a word2vec file.

One thread and a fixed word order make the vectors bit-identical from run to run, whatever
PYTHONHASHSEED is; gensim with several threads is not. Choosing the corpus is not done here.

Shapes: V words, W word_dim.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

_LONGEST = 10_000  # words of a sentence; gensim drops the rest of a longer one without a word
_REPORT = 1_000  # sentences between two calls of the progress function


@dataclass(frozen=True)
class TrainSettings:
    """What gensim's Word2Vec is told.

    Args:
        word_dim: length of a vector.
        min_count: words that occur less often get no vector; at least 1.
        epochs: passes over the corpus, at least 1.
        window: words looked at on either side, at least 1.
        negative: noise words drawn for each word, at least 1.
        sample: words above this share of the text are thinned out at random; 0 disables.
        algorithm: predict the word from its neighbours (cbow) or the reverse (skipgram).
        seed: any non-negative integer.
    """

    word_dim: int
    min_count: int
    epochs: int
    window: int
    negative: int
    sample: float
    algorithm: Literal["cbow", "skipgram"]
    seed: int


def train_vectors(
    sentences: Iterable[Sequence[str]],
    num_sentences: int,
    counts: Mapping[str, int],
    settings: TrainSettings,
    progress: Callable[[int], None] | None = None,
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return words with at least `min_count` occurrences, most frequent first, and their vectors.

    Args:
        sentences: token lists; read once per epoch, so it must start anew at each `iter()`.
        num_sentences: how many there are.
        counts: occurrences of every word of `sentences`.
        settings: see there.
        progress: called with the number of sentences read since its last call.

    Returns:
        Words ordered by count, then alphabetically, and float32 vectors of shape (V, W).

    Raises:
        ValueError: fewer than two words reach `min_count`.
    """
    from gensim.models import Word2Vec

    frequent = sorted(
        ((word, count) for word, count in counts.items() if count >= settings.min_count),
        key=lambda item: (-item[1], item[0]),
    )
    if len(frequent) < 2:
        raise ValueError(
            f"words.min_count: wanted at least 2 words that occur {settings.min_count} times, "
            f"got {len(frequent)} of {len(counts)} words; give more text or a lower value"
        )
    model = Word2Vec(
        vector_size=settings.word_dim,
        min_count=1,
        window=settings.window,
        negative=settings.negative,
        sample=settings.sample,
        sg=int(settings.algorithm == "skipgram"),
        seed=settings.seed,
        workers=1,
        sorted_vocab=0,  # already sorted, ties included
    )
    model.build_vocab_from_freq(dict(frequent))
    corpus = _Corpus(sentences, progress)
    with _only_errors("gensim"):
        model.train(corpus, total_examples=num_sentences, epochs=settings.epochs)
    if corpus.error is not None:
        raise corpus.error
    return list(model.wv.index_to_key), np.asarray(model.wv.vectors, dtype=np.float32)


@contextmanager
def _only_errors(name: str) -> Iterator[None]:
    """Silence a logger's advice (such as "under 10 jobs per worker") for a while."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


class _Corpus:
    """Re-iterable sentences that report how many were read.

    gensim reads them in a thread of its own and would wait for ever if that thread died, so an
    error is kept in `error` and the reading ends.
    """

    def __init__(
        self, sentences: Iterable[Sequence[str]], progress: Callable[[int], None] | None
    ) -> None:
        self.error: BaseException | None = None
        self._sentences, self._progress = sentences, progress or (lambda _: None)

    def __iter__(self) -> Iterator[Sequence[str]]:
        if self.error is not None:
            return  # a later epoch
        read = 0
        try:
            for sentence in self._sentences:
                yield sentence[:_LONGEST]
                read += 1
                if read % _REPORT == 0:
                    self._progress(_REPORT)
            self._progress(read % _REPORT)
        except GeneratorExit:
            raise
        except BaseException as error:  # also Ctrl-C: raised again in the caller's thread
            self.error = error
