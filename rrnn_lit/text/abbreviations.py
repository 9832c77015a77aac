"""Words that end in a full stop of their own.

With a dictionary of word vectors its entries decide (`Mr.`, `Inc.`); the short list is for
the case without one.
"""

import re

# U.S., e.g., Ph.D., J.: letters each followed by a stop; the last stop may have been cut off.
_INITIALS = re.compile(r"(?:(?:[A-Z][a-z]?|[a-z])\.)+[A-Za-z]?\.?")

_TITLES = ["mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "rev.", "hon.", "jr.", "sr."]
_RANKS = ["gen.", "sen.", "rep.", "gov.", "lt.", "col.", "sgt.", "capt."]
_FIRMS = ["inc.", "corp.", "co.", "ltd.", "bros.", "dept.", "univ."]
_MONTHS = ["jan.", "feb.", "mar.", "apr.", "jun.", "jul.", "aug.", "sept.", "sep.", "oct."]
_MORE = ["nov.", "dec.", "ave.", "blvd.", "vs.", "etc.", "no.", "approx.", "est.", "fig.", "vol."]
_COMMON = frozenset([*_TITLES, *_RANKS, *_FIRMS, *_MONTHS, *_MORE])


def is_initials(token: str) -> bool:
    """True for single letters with a stop after each: `U.S.`, `a.m.`, `J.`, also `U.S`."""
    return "." in token and _INITIALS.fullmatch(token) is not None


def is_common_abbreviation(token: str) -> bool:
    """True for `Mr.`, `Inc.`, `Jan.` and some fifty like them, in any case."""
    return token.lower() in _COMMON
