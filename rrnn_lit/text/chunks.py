"""Words of a sentence from those of its chunks, which are remembered: a text repeats them.

A chunk is what stands between two blanks. The Treebank rules look at no more than a chunk and
whether blanks stand beside it, except at the first quote and at the end of the sentence; those
places get a memory of their own. The steps behind them look at one token, except that some tokens
ask the one before them or whether a quote is open; in a sentence with such a token the steps take
all tokens together, and only the cutting is remembered.

A step changes a sentence just when it changes one of its chunks: the first token that it does not
leave alone is gone from its place, and no step puts a token there that it would not leave alone.

Each memory holds at most 200,000 chunks of at most 60 characters, about 250 bytes each, and is
emptied when it is full: 150 MB if all three ever were, 40 MB after 200,000 news sentences.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rrnn_lit.text.contractions import ENDINGS, UNMARKED, rejoin_contractions
from rrnn_lit.text.cutting import cut_chunk, cut_last_chunk
from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.hyphens import split_hyphens
from rrnn_lit.text.possessives import settle_possessives
from rrnn_lit.text.punctuation import limit_punctuation
from rrnn_lit.text.tokenize import TreebankTokenizer, with_last_abbreviation

CHUNK_STEPS = ("tokenize", "contractions", "possessives", "hyphens", "punctuation")
_SETTLING = (rejoin_contractions, settle_possessives, split_hyphens, limit_punctuation)
_CUT = 1  # the bit of the first step
_ASKS = 1 << len(CHUNK_STEPS)

_ENDS = "])}>\"'"  # what the rules look through to find the last full stop
_QUOTES = ("'", '"', "`")
_LONGEST = 60  # characters of a chunk that is remembered
_MOST = 200_000  # chunks remembered at each place
_BESIDE = "x"  # a chunk that no rule cares for


class Words(NamedTuple):
    """Words of a sentence before phrases are merged.

    Attributes:
        words: none when no token is a word or a mark.
        changed: bit k is set when step k of `CHUNK_STEPS` changed the sentence.
    """

    words: list[str]
    changed: int


# What is remembered of a chunk: its words, what changed it, its tokens. The words say nothing when
# the bit `_ASKS` is set. A plain tuple, which Python's garbage collector need not look through.
_Chunk = tuple[Sequence[str], int, Sequence[str]]


class ChunkWords:
    """Finds the words of sentences by their chunks.

    Args:
        tokenizer: whose rules cut.
        dictionary: as `TextPipeline` takes it.
    """

    def __init__(self, tokenizer: TreebankTokenizer, dictionary: Dictionary) -> None:
        self._cut, self._dictionary = tokenizer.cut, dictionary
        self._first = _Memory(self._settle_first)
        self._inside = _Memory(self._settle_inside)
        self._last = _Memory(self._settle_last)

    def __call__(self, text: str) -> Words:
        """Words of a sentence of printable ASCII, single blanks, none at the ends, not empty."""
        chunks = text.split(" ")
        end = _last_chunk(chunks)
        if end == 0:  # begin and end at once
            return self._together(with_last_abbreviation(self._cut(text)), chunks)
        inside = self._inside
        first = self._first if chunks[0].startswith(_QUOTES) else inside
        found = [first[chunks[0]]]
        found += [inside[chunk] for chunk in chunks[1:end]]
        found.append(self._last[" ".join(chunks[end:])])
        words: list[str] = []
        changed = 0
        for part, part_changed, _ in found:
            words += part
            changed |= part_changed
        if changed >= _ASKS:
            tokens = [token for _, _, part in found for token in part]
            return self._together(with_last_abbreviation(tokens), chunks)
        return Words(words, changed)

    def _settle_first(self, chunk: str) -> _Chunk:
        return self._settle(chunk, self._cut(f"{chunk} {_BESIDE}")[:-1])

    def _settle_inside(self, chunk: str) -> _Chunk:
        tokens = cut_chunk(chunk)
        return self._settle(chunk, tokens or self._cut(f"{_BESIDE} {chunk} {_BESIDE}")[1:-1])

    def _settle_last(self, text: str) -> _Chunk:
        """Words of the last chunks, which the sentence's own stop may belong to."""
        tokens = None if " " in text else cut_last_chunk(text)
        tokens = with_last_abbreviation(tokens or self._cut(f"{_BESIDE} {text}")[1:])
        if tokens[0] == ".":  # the stop of a last abbreviation before it
            return (), _ASKS, tuple(tokens)
        return self._settle(text, tokens)

    def _settle(self, text: str, tokens: list[str]) -> _Chunk:
        if tokens == [text] and _is_plain(text):
            alone = (text,)
            return alone, 0, alone
        if "'" in tokens or tokens[0].lower() in ENDINGS:
            return (), _ASKS, tuple(tokens)
        found, changed = self._together(tokens, text.split(" "))
        words = tuple(found)
        return words, changed, tuple(tokens) if changed & ~_CUT else words

    def _together(self, tokens: list[str], chunks: Sequence[str]) -> Words:
        """Take all steps, with a look at what each of them changes."""
        changed = _CUT if tokens != chunks else 0
        for number, step in enumerate(_SETTLING, start=1):
            result = step(tokens, self._dictionary)
            if result != tokens:
                changed |= 1 << number
            tokens = result
        return Words(tokens, changed)


def _is_plain(token: str) -> bool:
    """Whether no step behind the tokenizer cares for the token."""
    lower = token.lower()
    return token.isalnum() and lower not in UNMARKED and lower not in ENDINGS


class _Memory(dict[str, _Chunk]):
    """What was found of the chunks seen so far."""

    def __init__(self, settle: Callable[[str], _Chunk]) -> None:
        super().__init__()
        self._settle = settle

    def __missing__(self, text: str) -> _Chunk:
        found = self._settle(text)
        if len(text) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[text] = found
        return found


def _last_chunk(chunks: Sequence[str]) -> int:
    """Place of the last chunk that is not all quotes and brackets, with which the end begins."""
    place = len(chunks) - 1
    while place and not chunks[place].strip(_ENDS):
        place -= 1
    return place
