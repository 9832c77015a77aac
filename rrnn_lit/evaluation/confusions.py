"""Which word was taken for which, how often, and how near their vectors are.

Shapes: N words of all sentences.
"""

import statistics
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rrnn_lit.evaluation.categories import CATEGORIES
from rrnn_lit.evaluation.evaluate import Evaluated, Integers
from rrnn_lit.words.vectors import WordVectors


@dataclass(frozen=True)
class Confusion:
    """A pair of words of which the second was decoded for the first.

    Attributes:
        category: of the target, see `categories.py`.
        target: the word of the sentence.
        decoded: what came back; empty where no word was nearest.
        count: how often.
        num_target: how often the target occurs in this category, right or wrong.
        cosine: between the two word vectors; None without a decoded word.
    """

    category: str
    target: str
    decoded: str
    count: int
    num_target: int
    cosine: float | None


def confusions_of(
    evaluated: Evaluated, categories_N: Integers, dictionary: WordVectors
) -> list[Confusion]:
    """Return every pair of a wrong word and what it became, frequent and alike ones first."""
    wrong_N = ~evaluated.matched_N
    keys = np.stack([categories_N, evaluated.target_N, evaluated.decoded_N])
    pairs, counts = np.unique(keys[:, wrong_N], axis=1, return_counts=True)
    targets, occurrences = np.unique(keys[:2], axis=1, return_counts=True)
    total = {(int(c), int(t)): int(n) for (c, t), n in zip(targets.T, occurrences, strict=True)}
    cosines = _cosines(dictionary, pairs[1], pairs[2])
    names, words = list(CATEGORIES), dictionary.words
    found = [
        Confusion(
            category=names[category],
            target=words[target],
            decoded=words[decoded] if decoded >= 0 else "",
            count=int(count),
            num_target=total[category, target],
            cosine=round(float(cosine), 4) if decoded >= 0 else None,
        )
        for (category, target, decoded), count, cosine in zip(
            pairs.T.tolist(), counts, cosines, strict=True
        )
    ]
    return sorted(found, key=_rank)


def median_cosines(confusions: list[Confusion]) -> dict[str, float]:
    """Return the median cosine of the wrong words with what they became, by category.

    A high one says that words are taken for others of like meaning.
    """
    found: dict[str, list[float]] = {}
    for pair in confusions:
        if pair.cosine is not None:
            found.setdefault(pair.category, []).extend([pair.cosine] * pair.count)
    return {category: statistics.median(cosines) for category, cosines in found.items()}


def _rank(pair: Confusion) -> tuple[int, float, str, str]:
    """The most frequent first, among equals the most alike."""
    cosine = -2.0 if pair.cosine is None else pair.cosine
    return -pair.count, -cosine, pair.target, pair.decoded


def _cosines(
    dictionary: WordVectors, targets: Integers, decoded: Integers
) -> npt.NDArray[np.float64]:
    """Return the cosine of each pair of dictionary rows, float64."""
    first = np.asarray(dictionary.vectors_VW[targets], dtype=np.float64)
    second = np.asarray(dictionary.vectors_VW[np.maximum(decoded, 0)], dtype=np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray((first * second).sum(axis=1) / lengths)
