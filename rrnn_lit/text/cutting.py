"""Treebank tokens of a single chunk by one regular expression, where nltk's 23 agree with it.

A chunk is what stands between two blanks. Without single quotes the rules only put blanks around
certain marks, each by itself; a quote is understood where it ends a word (`Peru's`, `workers'`).
For every other chunk there is no answer here.
"""

import re

_WORD = r"(?:[^]\[;@#$%&?!*()<>{}\".,:\-]|\.(?!\.)|-(?!-)|[,:](?=[0-9]))+"
_PIECE = re.compile(rf"{_WORD}|\.{{2,}}|--|.")
# rules see the second of two such marks as the letter after the first
_UNCLEAR = re.compile("['`]|[,:][,:]")
# a word, what the rules cut off its end, a mark
_WITH_ENDING = re.compile(
    "((?:[A-Za-z0-9]+-)*[A-Za-z0-9]+?)('[sSmMdD]?|'ll|'LL|'re|'RE|'ve|'VE|n't|N'T)([,:;?!\"])?"
)
_LAST_STOP = re.compile(r"(.*[^.])\.([])}>\"]*)")


def cut_chunk(chunk: str) -> list[str] | None:
    """Tokens of a chunk between others; None when nltk must be asked.

    Args:
        chunk: printable ASCII without blanks, not empty.
    """
    if _UNCLEAR.search(chunk) is None:
        return _PIECE.findall(chunk)
    parts = _WITH_ENDING.fullmatch(chunk)
    return None if parts is None else [part for part in parts.groups() if part]


def cut_last_chunk(chunk: str) -> list[str] | None:
    """Tokens of the last chunk, of which a full stop is cut off; None when nltk must be asked."""
    parts = _LAST_STOP.fullmatch(chunk)
    if parts is None:
        return cut_chunk(chunk)
    tokens = cut_chunk(parts[1])
    return None if tokens is None else [*tokens, ".", *parts[2]]
