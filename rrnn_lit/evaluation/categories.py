"""What kind of word a word is: the paper's error analysis (section 4) by category.

A category is decided by the target word and its place, never by what was decoded. The first that
fits counts: number words, months and weekdays (which the paper finds confused), then names, the
words of grammar, punctuation, the labels EOS and UNK, and the rest.

Shapes: N words of all sentences, V vocab_size.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.function_words import FUNCTION_WORDS
from rrnn_lit.text.digits import NUMBER_WORDS
from rrnn_lit.words.special import BLANK, EOS, SPECIAL_LABELS, UNK

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MARKS = tuple(label for label in SPECIAL_LABELS if not label.isalpha() and label != BLANK)
CATEGORIES = {
    "number words": "zero to nine, which also stand for digits; any case",
    "months": "January to December with a capital, so `May` at the start of a sentence as well",
    "weekdays": "Monday to Sunday with a capital",
    "names": "first letter a capital, not the sentence's first word; marks before it do not count",
    "function words": "a list of words of grammar (the, of, is, ...); any case",
    "punctuation": "the marks among the special labels: " + " ".join(MARKS),
    "EOS and UNK": "end of sentence, unknown word, blank",
    "other words": "all the rest",
}
_NAMES = list(CATEGORIES)
_CAPITAL = len(_NAMES)  # a name or another word: its place decides


def categories_of(
    word_ids_N: npt.NDArray[np.int64], lengths_B: npt.NDArray[np.int64], words: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Return the category of each word as a number into `CATEGORIES`.

    Args:
        word_ids_N: the words, sentence after sentence.
        lengths_B: number of words of each sentence.
        words: the dictionary in row order.
    """
    kinds_V = np.array([_kind(word) for word in words])
    kinds_N = kinds_V[word_ids_N]
    is_first_N = _first_words(kinds_N != _NAMES.index("punctuation"), lengths_B)
    named_N = np.where(is_first_N, _NAMES.index("other words"), _NAMES.index("names"))
    return np.where(kinds_N == _CAPITAL, named_N, kinds_N)


def _kind(word: str) -> int:
    for name, holds in (
        ("number words", word.lower() in NUMBER_WORDS),
        ("months", word in MONTHS),
        ("weekdays", word in WEEKDAYS),
        ("EOS and UNK", word in (EOS, UNK, BLANK)),
        ("punctuation", word in MARKS),
        ("function words", word.lower() in FUNCTION_WORDS),
    ):
        if holds:
            return _NAMES.index(name)
    return _CAPITAL if word[:1].isupper() else _NAMES.index("other words")


def _first_words(
    is_word_N: npt.NDArray[np.bool_], lengths_B: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return True at each sentence's first element that is a word."""
    starts_B = np.cumsum(lengths_B) - lengths_B
    so_far_N = np.cumsum(is_word_N)
    before_B = so_far_N[starts_B] - is_word_N[starts_B]
    return np.asarray(is_word_N & (so_far_N - np.repeat(before_B, lengths_B) == 1))
