"""Any amount of text with the word statistics of a small one: halves of two sentences, joined.

Nearly all sentences are then new while words, lengths and letters stay what they were. The number
of different words does not grow with the text, as that of real text would.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rrnn_lit.data.sources.files import read_lines

BLOCK = 50_000  # sentences drawn together
_WORDS = 40_000  # of made-up text
_MADE_UP = 50_000  # sentences of made-up text, before they are recombined


class Halves:
    """First and second halves of the sentences of a text.

    Args:
        sentences: with blanks between their words; at least one has two words.

    Raises:
        ValueError: none has.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        self._first: list[str] = []
        self._second: list[str] = []
        for sentence in sentences:
            words = sentence.split()
            middle = len(words) // 2
            if middle:
                self._first.append(" ".join(words[:middle]))
                self._second.append(" ".join(words[middle:]))
        if not self._first:
            raise ValueError("--text: wanted sentences of two words or more, got none")

    def blocks(self, number: int, duplicates: float, seed: int) -> Iterator[list[str]]:
        """Yield `number` sentences in blocks; a smaller number gives a beginning of a larger.

        Args:
            number: of sentences.
            duplicates: share that repeats a sentence of the same or the last block exactly.
            seed: any non-negative integer.
        """
        before: list[str] = []
        for block in range(-(-number // BLOCK)):
            generator = np.random.default_rng((seed, block))
            picks = generator.integers(0, len(self._first), (BLOCK, 2)).tolist()
            lines = [f"{self._first[a]} {self._second[b]}" for a, b in picks]
            places = np.flatnonzero(generator.random(BLOCK) < duplicates).tolist()
            sources = generator.integers(0, BLOCK, len(places)).tolist()
            old = before or lines
            for place, source in zip(places, sources, strict=True):
                lines[place] = old[source]
            before = lines
            yield lines[: number - block * BLOCK]


def open_text(path: str | None, seed: int) -> Halves:
    """Return the halves of a file's sentences, or of made-up ones.

    Args:
        path: a sentence a line, also packed; None makes words of letters by Zipf's law.
        seed: of made-up text.

    Raises:
        ValueError: the file cannot be read or has no sentence of two words.
    """
    if path is None:
        return Halves(made_up_sentences(_MADE_UP, seed))
    if not Path(path).is_file():
        raise ValueError(f"--text: wanted a text file, got no such file: {path}")
    return Halves(list(read_lines(Path(path))))


def made_up_sentences(number: int, seed: int) -> list[str]:
    """Return sentences of about 24 words that follow Zipf's law and mean nothing."""
    from rrnn_lit.bench.lengths import draw_lengths
    from rrnn_lit.bench.zipf import draw_word_ids

    generator = np.random.default_rng(seed)
    lengths = draw_lengths(number, generator)
    words = np.array([_word(i) for i in range(_WORDS)])
    text = words[draw_word_ids(_WORDS, int(lengths.sum()), generator)].tolist()
    ends = np.cumsum(lengths).tolist()
    return [
        f"{' '.join(text[end - length : end])}.".capitalize()
        for end, length in zip(ends, lengths.tolist(), strict=True)
    ]


_SYLLABLES = [c + v + e for c in "bdfglmnprst" for v in "aeiou" for e in ("", "n", "r", "s")]


def _word(number: int) -> str:
    syllables = [_SYLLABLES[number % len(_SYLLABLES)]]
    while number := number // len(_SYLLABLES):
        syllables.append(_SYLLABLES[number % len(_SYLLABLES)])
    return "".join(syllables)
