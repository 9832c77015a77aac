"""The numbers of a report: figures with intervals, and how they depend on what a word is.

Every table is a list of rows made of plain values and `Estimate`s, for page and JSON alike.

Shapes: B sentences, N words of all sentences, V vocab_size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.token_store import store_files
from rrnn_lit.evaluation.categories import CATEGORIES
from rrnn_lit.evaluation.evaluate import Evaluated, Integers
from rrnn_lit.evaluation.intervals import (
    Estimate,
    difference,
    share_of_sentences,
    share_of_words,
)
from rrnn_lit.training.metric_keys import RATES

BAND = 10  # lengths in a row of the table by length (D-33)
_BINS_A_DECADE = 2
_CHUNK = 1 << 24  # words counted at a time


@dataclass(frozen=True)
class Figure:
    """A rate of `metric_keys.RATES` in words.

    Attributes:
        key: its name there.
        title: short name.
        meaning: what is counted.
    """

    key: str
    title: str
    meaning: str

    @property
    def of_sentences(self) -> bool:
        """Whether sentences are counted, not words."""
        return RATES[self.key][1] == "num_sentences"


FIGURES = (
    Figure(
        "matched_word_rate",
        "matched words",
        "no other dictionary word is nearer to the predicted vector; EOS and UNK count, the "
        "length is given: the paper's counting",
    ),
    Figure(
        "loosely_matched_word_rate",
        "loosely matched words",
        "also words that agree after lower case and dropping all but a to z",
    ),
    Figure("exact_sentence_rate", "exact sentences", "every word matched, EOS included"),
    Figure(
        "strict_matched_word_rate",
        "matched words, strict",
        "EOS and UNK do not count; a sentence ends at the first EOS that is decoded, and the "
        "words behind it are wrong",
    ),
    Figure(
        "strict_exact_sentence_rate",
        "exact sentences, strict",
        "the words up to the first decoded EOS are the sentence's, and none of them is UNK",
    ),
)


def estimate(evaluated: Evaluated, figure: Figure) -> Estimate:
    """Return a figure of the evaluated sentences."""
    part, whole = RATES[figure.key]
    part_B, whole_B = evaluated.counts[part], evaluated.counts[whole]
    if figure.of_sentences:
        return share_of_sentences(int(part_B.sum()), int(whole_B.sum()))
    return share_of_words(part_B, whole_B)


def compare(first: Evaluated, second: Evaluated, figure: Figure) -> Estimate:
    """Return first minus second; both evaluated on the same sentences."""
    part, whole = RATES[figure.key]
    return difference(first.counts[part], second.counts[part], first.counts[whole])


def by_length(evaluated: Evaluated, band: int = 1) -> list[dict[str, Any]]:
    """Return words and exact sentences by number of words, EOS included (Figure 3).

    Args:
        evaluated: the sentences.
        band: lengths in a row: 10 gives 1-10, 11-20, ...
    """
    bands_B = (evaluated.lengths_B - 1) // band
    rows = []
    for number in np.unique(bands_B):
        chosen_B = bands_B == number
        matched_B = evaluated.counts["matched_words"][chosen_B]
        exact = int(evaluated.counts["exact_sentences"][chosen_B].sum())
        rows.append(
            {
                "shortest": int(number) * band + 1,
                "longest": int(number + 1) * band,
                "matched_words": share_of_words(matched_B, evaluated.lengths_B[chosen_B]),
                "exact_sentences": share_of_sentences(exact, int(chosen_B.sum())),
            }
        )
    return rows


def by_position(evaluated: Evaluated, from_end: bool) -> list[dict[str, Any]]:
    """Return the share of wrong words by their place in the sentence.

    A sentence has one word at a place, so that words of one place are independent.

    Args:
        evaluated: the sentences.
        from_end: count from the end, where EOS is 0; else from the first word, which is 1.
    """
    places_N = np.arange(len(evaluated.target_N)) - np.repeat(
        evaluated.starts, evaluated.lengths_B
    )
    if from_end:
        places_N = np.repeat(evaluated.lengths_B, evaluated.lengths_B) - 1 - places_N
    num_words = np.bincount(places_N)
    wrong = np.bincount(places_N, weights=~evaluated.matched_N).astype(np.int64)
    return [
        {"position": place + (not from_end), "wrong": share_of_sentences(int(w), int(n))}
        for place, (w, n) in enumerate(zip(wrong, num_words, strict=True))
    ]


def by_frequency(
    evaluated: Evaluated, train_counts_V: Integers, left_out: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Return the share of matched words by how often a word occurs in train.

    Args:
        evaluated: the sentences.
        train_counts_V: occurrences of each word.
        left_out: word_ids that do not take part: EOS and UNK are no words of the language.
    """
    counts_N = train_counts_V[evaluated.target_N]
    bins_N = np.floor(_BINS_A_DECADE * np.log10(np.maximum(counts_N, 0.5))).astype(np.int64)
    bins_N[np.isin(evaluated.target_N, left_out)] = -100
    rows = []
    for number in np.unique(bins_N[bins_N > -100]):
        inside_N = bins_N == number
        matched_B = evaluated.by_sentence(inside_N & evaluated.matched_N)
        rows.append(
            {
                "fewest": int(counts_N[inside_N].min()),
                "most": int(counts_N[inside_N].max()),
                # words in the middle of a bin in the logarithm; 0.5 stands for never
                "mean": float(np.exp(np.log(np.maximum(counts_N[inside_N], 0.5)).mean())),
                "matched": share_of_words(matched_B, evaluated.by_sentence(inside_N)),
            }
        )
    return rows


def by_category(evaluated: Evaluated, categories_N: Integers) -> list[dict[str, Any]]:
    """Return words, wrong words and the share of all wrong words of each category."""
    wrong_N = ~evaluated.matched_N
    all_wrong = int(wrong_N.sum())
    rows = []
    for number, name in enumerate(CATEGORIES):
        inside_N = categories_N == number
        wrong = share_of_words(
            evaluated.by_sentence(inside_N & wrong_N), evaluated.by_sentence(inside_N)
        )
        share = wrong.part / max(all_wrong, 1)
        rows.append({"category": name, "wrong": wrong, "share_of_all_wrong": share})
    return rows


def count_train_words(data: PreparedData) -> Integers:
    """Return how often each word occurs in the train split, int64 (V,)."""
    words = np.load(data.folder / store_files("train")[0], mmap_mode="r", allow_pickle=False)
    size = data.word_vectors.vocab_size
    counts_V = np.zeros(size, dtype=np.int64)
    for start in range(0, len(words), _CHUNK):
        counts_V += np.bincount(words[start : start + _CHUNK], minlength=size)
    return counts_V


def map_estimates(content: Any, change: Callable[[Estimate], Any]) -> Any:
    """Return tables with every `Estimate` changed."""
    if isinstance(content, Estimate):
        return change(content)
    if isinstance(content, dict):
        return {key: map_estimates(value, change) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [map_estimates(value, change) for value in content]
    return content
