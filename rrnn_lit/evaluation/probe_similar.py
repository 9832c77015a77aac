"""The sentences of a file that are nearest to some sentences, beside what simple baselines say.

The file passes by in blocks; only the best are kept.

Shapes: Q queries, B sentences of a block, K best.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.evaluation.probe_baselines import Overlaps, mean_vectors
from rrnn_lit.evaluation.probe_search import Best, Found, best_of_scores
from rrnn_lit.evaluation.probes import Vectors, cosines

Search = Callable[[Vectors, Vectors, int], Found]


@dataclass(frozen=True)
class Hit:
    """One of the nearest sentences.

    Attributes:
        line: its line in the file, from 1.
        text: as it stands there.
        cosine: of the sentence vectors.
        mean_vectors: cosine of the means of the word vectors.
        overlap: share of common words.
    """

    line: int
    text: str
    cosine: float
    mean_vectors: float
    overlap: float


@dataclass(frozen=True)
class Neighbours:
    """What was found for one query.

    Attributes:
        query: the sentence.
        hits: nearest first.
        shared_with_mean_vectors: how many of the hits are among the nearest by mean vectors.
        shared_with_overlap: the same for the overlap.
    """

    query: str
    hits: list[Hit]
    shared_with_mean_vectors: int
    shared_with_overlap: int


class NearestSentences:
    """Collects the nearest sentences of each query.

    Args:
        codec: makes the vectors; sentences of any length get one.
        queries: at least one sentence.
        number: how many nearest sentences, at least 1.
        search: see `probe_search.search_function`.
        batch_size: most sentences encoded at once.
    """

    def __init__(
        self,
        codec: SentenceCodec,
        queries: Sequence[str],
        number: int,
        search: Search,
        batch_size: int,
    ) -> None:
        self._codec, self._number, self._search = codec, number, search
        self._batch_size, self._queries = batch_size, list(queries)
        words = codec.words(self._queries)
        self._vectors_QS = codec.encode_words(words, batch_size, longer="encode")
        self._means_QW = mean_vectors(words, codec.parts.word_vectors)
        self._overlaps = Overlaps(words)
        self._best, self._by_mean, self._by_overlap = (
            Best(len(self._queries), number) for _ in range(3)
        )
        self._seen = 0
        # place of a sentence -> line and text; (query, place) -> scores of the baselines
        self._lines: dict[int, tuple[int, str]] = {}
        self._baselines: dict[tuple[int, int], tuple[float, float]] = {}

    def add(self, lines: Sequence[tuple[int, str]]) -> None:
        """Look at the next sentences, each with its line number."""
        words = self._codec.words([text for _, text in lines])
        vectors_BS = self._codec.encode_words(words, self._batch_size, longer="encode")
        mean_QB = cosines(self._means_QW, mean_vectors(words, self._codec.parts.word_vectors))
        overlap_QB = self._overlaps(words)
        scores_QK, columns_QK = self._search(self._vectors_QS, vectors_BS, self._number)
        self._best.add(scores_QK, columns_QK + self._seen)
        for best, scores_QB in ((self._by_mean, mean_QB), (self._by_overlap, overlap_QB)):
            top_QK, places_QK = best_of_scores(scores_QB, self._number)
            best.add(top_QK, places_QK + self._seen)
        for query, columns in enumerate(columns_QK.tolist()):
            for column in columns:
                place = column + self._seen
                self._lines[place] = lines[column]
                scores = float(mean_QB[query, column]), float(overlap_QB[query, column])
                self._baselines[query, place] = scores
        self._forget()
        self._seen += len(lines)

    def _forget(self) -> None:
        kept = {
            (query, place)
            for query, places in enumerate(self._best.places_QK.tolist())
            for place in places
        }
        self._baselines = {key: self._baselines[key] for key in kept}
        self._lines = {place: self._lines[place] for _, place in kept}

    def results(self) -> list[Neighbours]:
        """Return what was found so far, in the order of the queries."""
        return [self._result(query, text) for query, text in enumerate(self._queries)]

    def _result(self, query: int, text: str) -> Neighbours:
        places = self._best.places_QK[query]
        hits = []
        for place, cosine in zip(places.tolist(), self._best.scores_QK[query], strict=True):
            line, found = self._lines[place]
            hits.append(Hit(line, found, float(cosine), *self._baselines[query, place]))
        shared = (
            len(np.intersect1d(places, best.places_QK[query]))
            for best in (self._by_mean, self._by_overlap)
        )
        return Neighbours(text, hits, *shared)
