"""Words that word vectors hardly tell apart: number words, months, weekdays (paper section 4).

They occur in the same contexts, so their vectors are close and a decoder mixes them up. Every
case and the usual abbreviations count, with or without a full stop; lower-case forms that are
ordinary words (`may`, `march`, `sat`) do not.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
    *("hundred", "thousand", "million", "billion", "trillion"),
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
    *("jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"),
)
_WEEKDAYS = (
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    *("mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun"),
)
_ORDINARY = frozenset({"march", "may", "mar", "august", "mon", "wed", "sat", "sun"})

GROUPS: dict[str, frozenset[str]] = {
    "number words": frozenset(_NUMBERS),
    "months": frozenset(_MONTHS),
    "weekdays": frozenset(_WEEKDAYS),
}


def group_of(word: str) -> str | None:
    """Return the name of the word's group, None for a word of no group."""
    plain = word.removesuffix(".")
    if plain in _ORDINARY:
        return None
    return next((name for name, forms in GROUPS.items() if plain.lower() in forms), None)


def confusable_groups(words: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
    """Return group -> the word_ids of its members, ascending; empty where there are none.

    Args:
        words: a dictionary in row order.
    """
    members: dict[str, list[int]] = {name: [] for name in GROUPS}
    for word_id, word in enumerate(words):
        name = group_of(word)
        if name is not None:
            members[name].append(word_id)
    return {name: np.array(ids, dtype=np.int64) for name, ids in members.items()}
