"""Phrases of the dictionary as one token: `New` `York` becomes `New_York` (D-42)."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.punctuation import MARKS


class PhraseMerger:
    """Replaces runs of tokens by the longest dictionary phrase, from left to right.

    Built once per dictionary: two million phrases take a second or two.

    Args:
        dictionary: words and phrases, `_` between the words of a phrase; None merges nothing.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary: frozenset[str] = dictionary or frozenset()
        self._longest = _longest_phrases(self._dictionary)

    def __call__(self, tokens: list[str]) -> list[str]:
        """Tokens with phrases merged; never across one of the fourteen marks."""
        begins = self._begins_by_word if "_" in "".join(tokens) else self._begins_by_pair
        merged: list[str] = []
        position = 0
        for place, lengths in begins(tokens):
            length = self._longest_phrase(tokens, place, lengths) if place >= position else 1
            if length > 1:
                merged += tokens[position:place]
                merged.append("_".join(tokens[place : place + length]))
                position = place + length
        merged += tokens[position:]
        return merged

    def _begins_by_pair(self, tokens: list[str]) -> list[tuple[int, Iterable[int]]]:
        """Places where phrases may begin, with the lengths to try, longest first."""
        known, longest = self._dictionary, self._longest
        pairs = [f"{first}_{second}" for first, second in zip(tokens, tokens[1:], strict=False)]
        return [
            (place, range(longest.get(pair, 2), 1, -1))
            for place, pair in enumerate(pairs)
            if pair in known or pair in longest
        ]

    def _begins_by_word(self, tokens: list[str]) -> list[tuple[int, Iterable[int]]]:
        """The same where a token has a `_` of its own: then no pair tells how long phrases are."""
        lengths = self._lengths
        return [(place, lengths[t]) for place, t in enumerate(tokens) if t in lengths]

    @cached_property
    def _lengths(self) -> dict[str, tuple[int, ...]]:
        """First word of the phrases -> how many words they have, longest first."""
        lengths: dict[str, set[int]] = {}
        for first, _, length in _phrases(self._dictionary):
            lengths.setdefault(first, set()).add(length)
        return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}

    def _longest_phrase(self, tokens: list[str], position: int, lengths: Iterable[int]) -> int:
        """Number of tokens in the longest phrase that begins here; 1 when there is none."""
        for length in lengths:
            words = tokens[position : position + length]
            found = len(words) == length and "_".join(words) in self._dictionary
            if found and MARKS.isdisjoint(words):
                return length
        return 1


def _longest_phrases(dictionary: frozenset[str]) -> dict[str, int]:
    """First two words of the phrases of three and more -> words of the longest of them.

    Shorter phrases are found in the dictionary itself, which saves two thirds of the memory.
    """
    longest: dict[str, int] = {}
    for first, rest, length in _phrases(dictionary):
        if length > 2:
            pair = f"{first}_{rest[: rest.index('_')]}"
            longest[pair] = max(length, longest.get(pair, 0))
    return longest


def _phrases(dictionary: frozenset[str]) -> Iterator[tuple[str, str, int]]:
    """Yield (first word, all behind its `_`, number of words) of every phrase."""
    for entry in dictionary:
        first, _, rest = entry.partition("_")
        if first and rest:
            yield first, rest, 2 + rest.count("_")
