"""Similarities that need no sentence vector, to see what a figure of ours is worth.

The mean of the word vectors knows words and no order; the overlap knows only which words are the
same. A sentence vector that is no better than these has not paid for itself as a measure of
meaning, whatever it is worth for decoding.

Shapes: B sentences, Q queries, W word_dim.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.vectors import WordVectors

Words = Sequence[str]


def mean_vectors(sentences: Sequence[Words], word_vectors: WordVectors) -> npt.NDArray[np.float64]:
    """Return the mean of each sentence's word vectors, (B, W); zeros without a known word.

    Words that the dictionary lacks are left out.
    """
    means_BW = np.zeros((len(sentences), word_vectors.word_dim))
    for place, words in enumerate(sentences):
        ids = [word_vectors.word_ids[word] for word in words if word in word_vectors.word_ids]
        if ids:
            means_BW[place] = word_vectors.vectors_VW[ids].astype(np.float64).mean(axis=0)
    return means_BW


def overlap(first: Words, second: Words) -> float:
    """Return the share of common words among all different words of both; 0 without any word."""
    union = set(first) | set(second)
    return len(set(first) & set(second)) / len(union) if union else 0.0


class Overlaps:
    """Overlaps of many sentences with the same queries.

    Args:
        queries: words of each query.
    """

    def __init__(self, queries: Sequence[Words]) -> None:
        self._sizes_Q1 = np.array([[len(set(words))] for words in queries])
        places: dict[str, list[int]] = {}
        for place, words in enumerate(queries):
            for word in set(words):
                places.setdefault(word, []).append(place)
        self._queries_of = {word: np.array(found) for word, found in places.items()}

    def __call__(self, sentences: Sequence[Words]) -> npt.NDArray[np.float64]:
        """Return `overlap` of every query with every sentence, (Q, B)."""
        common_QB = np.zeros((len(self._sizes_Q1), len(sentences)))
        sizes_B = np.zeros(len(sentences))
        for place, words in enumerate(sentences):
            different = set(words)
            sizes_B[place] = len(different)
            for word in different & self._queries_of.keys():
                common_QB[self._queries_of[word], place] += 1
        union_QB = self._sizes_Q1 + sizes_B - common_QB
        return np.asarray(common_QB / np.maximum(union_QB, 1))
