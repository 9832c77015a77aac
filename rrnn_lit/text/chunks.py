"""Words of a sentence from those of its chunks, which are remembered: a text repeats them.

A chunk is what stands between two blanks. The Treebank rules look at no more than a chunk and
whether blanks stand beside it, except at the first quote and at the end of the sentence; those
places get a memory of their own. The steps behind them look at one token, except that some tokens
ask the one before them or whether a quote is open; a chunk with such a token has no words of its
own, and the sentence must be taken as a whole.
"""

import re
from collections.abc import Callable, Sequence

from rrnn_lit.text.contractions import ENDINGS, rejoin_contractions
from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.hyphens import split_hyphens
from rrnn_lit.text.possessives import settle_possessives
from rrnn_lit.text.punctuation import limit_punctuation
from rrnn_lit.text.tokenize import TreebankTokenizer, with_last_abbreviation

_ENDS = "])}>\"'"  # what the rules look through to find the last full stop
_QUOTES = ("'", '"', "`")
_LONGEST = 60  # characters of a chunk that is remembered
_MOST = 200_000  # chunks remembered at each place
_BESIDE = "x"  # a chunk that no rule cares for
# what most chunks are; every set of Treebank rules cuts these in the same way
_PLAIN = re.compile("([A-Za-z0-9]+)([,:;?!])?")
_PLAIN_LAST = re.compile("([A-Za-z0-9]+)([,:;?!.])?")

Words = tuple[str, ...] | None


class ChunkWords:
    """Finds the words of sentences by their chunks.

    Args:
        tokenizer: whose rules cut.
        dictionary: as `TextPipeline` takes it.
    """

    def __init__(self, tokenizer: TreebankTokenizer, dictionary: Dictionary) -> None:
        self._cut, self._dictionary = tokenizer.cut, dictionary
        self._first = _Memory(lambda chunk: self._settle(self._cut(f"{chunk} {_BESIDE}")[:-1]))
        self._inside = _Memory(self._settle_inside)
        self._last = _Memory(self._settle_last)

    def __call__(self, text: str) -> list[str] | None:
        """Words before phrases are merged; None when the sentence must be taken as a whole.

        Args:
            text: of one sentence: printable ASCII, single blanks, none at the ends, not empty.
        """
        chunks = text.split(" ")
        end = _last_chunk(chunks)
        if end == 0:
            return None
        inside = self._inside
        found = [inside[chunk] for chunk in chunks[1:end]]
        first = self._first if chunks[0].startswith(_QUOTES) else inside
        found.insert(0, first[chunks[0]])
        found.append(self._last[" ".join(chunks[end:])])
        words: list[str] = []
        for part in found:
            if part is None:
                return None
            words += part
        return words

    def _settle_inside(self, chunk: str) -> Words:
        plain = _PLAIN.fullmatch(chunk)
        if plain:
            return self._settle([part for part in plain.groups() if part])
        return self._settle(self._cut(f"{_BESIDE} {chunk} {_BESIDE}")[1:-1])

    def _settle_last(self, text: str) -> Words:
        """Words of the last chunks, which the sentence's own stop may belong to."""
        plain = _PLAIN_LAST.fullmatch(text)
        if plain:
            tokens = [part for part in plain.groups() if part]
        else:
            tokens = self._cut(f"{_BESIDE} {text}")[1:]
        if tokens[0] == ".":
            return None  # the stop of a last abbreviation before it
        return self._settle(with_last_abbreviation(tokens))

    def _settle(self, tokens: list[str]) -> Words:
        if "'" in tokens or tokens[0].lower() in ENDINGS:
            return None
        tokens = rejoin_contractions(tokens, self._dictionary)
        tokens = settle_possessives(tokens, self._dictionary)
        tokens = split_hyphens(tokens, self._dictionary)
        return tuple(limit_punctuation(tokens, self._dictionary))


class _Memory(dict[str, Words]):
    """Words of the chunks seen so far."""

    def __init__(self, settle: Callable[[str], Words]) -> None:
        super().__init__()
        self._settle = settle

    def __missing__(self, chunk: str) -> Words:
        words = self._settle(chunk)
        if len(chunk) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[chunk] = words
        return words


def _last_chunk(chunks: Sequence[str]) -> int:
    """Place of the last chunk that is not all quotes and brackets, with which the end begins."""
    place = len(chunks) - 1
    while place and not chunks[place].strip(_ENDS):
        place -= 1
    return place
