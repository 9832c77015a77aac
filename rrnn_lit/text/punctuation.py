"""The limited punctuation of the paper (D-41): fourteen marks, and what becomes of the others.

The one table of marks. Digits inside a word are left for digits.py, hyphens are cut already.
"""

import re

from rrnn_lit.text.abbreviations import is_common_abbreviation, is_initials
from rrnn_lit.text.contractions import CLITICS
from rrnn_lit.text.dictionary import Dictionary, is_known_word

MARKS = frozenset([",", "?", "'", '"', ":", "-", "--", ";", "...", ")", "(", "!", ".", "/"])

# Signs with a word vector of their own in published dictionaries; they stay, as words.
WORD_SIGNS = frozenset("$%&")

# Other marks that have a counterpart among the fourteen. Everything else, such as @ # * + = <
# > ^ _ ~, is dropped unless it stands inside a word that the dictionary has.
REPLACEMENTS = {"`": "'", "``": '"', "[": "(", "{": "(", "]": ")", "}": ")"}

# A word with its inner stops and apostrophes and a stop that may belong to it; a run of
# stops, of hyphens or of backticks; any other single character.
_PIECE = re.compile(
    r"[A-Za-z0-9]+(?:(?:['.]|(?<=\d),(?=\d))[A-Za-z0-9]+)*(?:\.(?!\.))?|\.{2,}|--+|``|."
)
_INNER_STOP = re.compile(r"(?<!\d)\.|\.(?!\d)")
_CLOSERS = frozenset("\"')")


def limit_punctuation(tokens: list[str], dictionary: Dictionary) -> list[str]:
    """Tokens that are words, or one of the fourteen marks; marks stuck to a word are cut off.

    A word that the dictionary has keeps its marks (`Mr.`, `O'Brien`, `google.com`). A token of
    unknown marks alone disappears.
    """
    limited: list[str] = []
    for token in tokens:
        whole = token.isalnum() or token in MARKS or token.lower() in CLITICS
        if whole or is_known_word(token, dictionary):
            limited.append(token)
        else:
            for piece in _PIECE.findall(token):
                limited += _settle_piece(piece, dictionary)
    return limited


def _settle_piece(piece: str, dictionary: Dictionary) -> list[str]:
    if piece[0].isalnum():
        return _settle_stops(piece, dictionary)
    if piece.startswith(".."):
        return ["..."]
    if piece.startswith("--"):
        return ["--"]
    mark = REPLACEMENTS.get(piece, piece)
    return [mark] if mark in MARKS or mark in WORD_SIGNS else []


def _settle_stops(word: str, dictionary: Dictionary) -> list[str]:
    """Decide which stops belong to the word: `U.S.`, but `York` `.` and `end` `.` `The`."""
    if is_known_word(word, dictionary):
        return [word]
    if word.endswith("."):
        common = dictionary is None and is_common_abbreviation(word)
        if common or is_initials(word):
            return [word]
        return [*_settle_stops(word[:-1], dictionary), "."]
    parts = _INNER_STOP.split(word)
    # Two sentences without a blank between them are common in news; web addresses and ticker
    # symbols are too. The dictionary tells them apart: both sides must be words.
    if len(parts) > 1 and all(is_known_word(part, dictionary) for part in parts):
        return [token for part in parts for token in (part, ".")][:-1]
    return [word]


def remove_final_stop(tokens: list[str]) -> list[str]:
    """Tokens without full stops at the end, also before closing quotes and brackets.

    The author's implementation removes it (D-45); Table 1 shows no sentence with one.
    """
    end = len(tokens)
    while end and (tokens[end - 1] in _CLOSERS or tokens[end - 1] == "."):
        end -= 1
    return tokens[:end] + [token for token in tokens[end:] if token != "."]
