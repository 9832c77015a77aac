"""Phrases of the dictionary as one token: `New` `York` becomes `New_York` (D-42)."""

from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.punctuation import MARKS


class PhraseMerger:
    """Replaces runs of tokens by the longest dictionary phrase, from left to right.

    Built once per dictionary: two million phrases take a few seconds.

    Args:
        dictionary: words and phrases, `_` between the words of a phrase; None merges nothing.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary: frozenset[str] = dictionary or frozenset()
        self._lengths = _phrase_lengths(self._dictionary)

    def __call__(self, tokens: list[str]) -> list[str]:
        """Tokens with phrases merged; never across one of the fourteen marks."""
        merged: list[str] = []
        position = 0
        while position < len(tokens):
            lengths = self._lengths.get(tokens[position])
            length = self._longest_phrase(tokens, position, lengths) if lengths else 1
            merged.append("_".join(tokens[position : position + length]))
            position += length
        return merged

    def _longest_phrase(self, tokens: list[str], position: int, lengths: tuple[int, ...]) -> int:
        """Number of tokens in the longest phrase that begins here; 1 when there is none."""
        for length in lengths:
            words = tokens[position : position + length]
            found = len(words) == length and "_".join(words) in self._dictionary
            if found and MARKS.isdisjoint(words):
                return length
        return 1


def _phrase_lengths(dictionary: frozenset[str]) -> dict[str, tuple[int, ...]]:
    """First word of the phrases -> how many words they have, longest first.

    Most words begin no phrase, and the others have few lengths to try, so the cost of a
    sentence does not grow with the number of phrases.
    """
    lengths: dict[str, set[int]] = {}
    for entry in dictionary:
        first, mark, rest = entry.partition("_")
        if first and rest and mark:
            lengths.setdefault(first, set()).add(2 + rest.count("_"))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
