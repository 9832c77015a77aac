"""Words of a sentence as text to read: the way back from tokens, as far as there is one.

Every word is printed and none is invented. What preparation has settled stays settled: number
words stay words (`two` may have been `2`), letters have no accents, and no full stop is added at
the end. `_` becomes a blank and the cut-off `s` an `'s` (decision D-47).
"""

from collections.abc import Sequence

from rrnn_lit.text.contractions import CLITICS
from rrnn_lit.text.digits import NUMBER_WORDS

_CLOSING = frozenset([",", ";", ":", "?", "!", ".", "...", ")", "%", *CLITICS, "'s"])
_OPENING = frozenset(["(", "$"])
_BETWEEN_WORDS = frozenset(["-", "/"])
_BETWEEN_DIGITS = frozenset([".", ":"])
_DIGITS = frozenset(NUMBER_WORDS)
_RESERVED = {"EOS_": "EOS", "UNK_": "UNK"}

# whether a word stands without a blank before it, and without one after it
_Joins = tuple[bool, bool]
_OPENS, _CLOSES, _STANDS = (False, True), (True, False), (False, False)


def detokenize(words: Sequence[str]) -> str:
    """Return the words as one line of text; empty for no words.

    Args:
        words: tokens of the pipeline without the end mark.
    """
    quotes = {**_double_quotes(words), **_single_quotes(words)}
    text, joined = "", True
    for place, word in enumerate(words):
        joins_before, joins_after = quotes.get(place) or _joins(words, place)
        blank = "" if joined or joins_before else " "
        text += blank + _spelled(words, place, word)
        joined = joins_after
    return text


def _spelled(words: Sequence[str], place: int, word: str) -> str:
    if word == "s" and _is_possessive(words, place):
        return "'s"
    return _RESERVED.get(word) or word.replace("_", " ").strip(" ") or word


def _joins(words: Sequence[str], place: int) -> _Joins:
    word = words[place]
    if _stands_between(words, place, word):
        return True, True
    if word == "s":
        return _is_possessive(words, place), False
    return word.lower() in _CLOSING, word in _OPENING


def _stands_between(words: Sequence[str], place: int, word: str) -> bool:
    """Tell `family` - `owned` and `seven` . `five`."""
    if not 0 < place < len(words) - 1:
        return False
    neighbours = words[place - 1], words[place + 1]
    if word in _BETWEEN_WORDS:
        return all(neighbour[-1:].isalnum() for neighbour in neighbours)
    return word in _BETWEEN_DIGITS and _DIGITS.issuperset(neighbours)


def _is_possessive(words: Sequence[str], place: int) -> bool:
    """Tell the `s` of `India` `s` from a letter; that of `nine` `zero` `s` may be a plural's."""
    before = words[place - 1] if place else ""
    return (
        len(before) > 1 and (before[-1].isalpha() or before[-1] == ".") and before not in _DIGITS
    )


def _double_quotes(words: Sequence[str]) -> dict[int, _Joins]:
    """Return how the marks join, which open and close in turn."""
    places = [place for place, word in enumerate(words) if word == '"']
    joins = {place: (_OPENS, _CLOSES)[number % 2] for number, place in enumerate(places)}
    if joins.get(len(words) - 1) == _OPENS:
        joins[len(words) - 1] = _CLOSES
    return joins


def _single_quotes(words: Sequence[str]) -> dict[int, _Joins]:
    """Return the same of marks that may also be the end of a plural (`workers` `'`)."""
    places = [place for place, word in enumerate(words) if word == "'"]
    joins = {place: (_OPENS, _CLOSES)[number % 2] for number, place in enumerate(places)}
    if len(places) % 2:
        last = places[-1]
        is_plural = last > 0 and words[last - 1][-1:] in ("s", "S")
        joins[last] = _CLOSES if is_plural or last == len(words) - 1 else _STANDS
    return joins
