"""SentenceWords: raw sentences to the words of `rrnn prepare`, with nothing dropped."""

from collections.abc import Mapping

from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.keeping import KeepingPipeline
from rrnn_lit.text.packages import KEEPING_PACKAGES, check_packages
from rrnn_lit.text.pipeline import TextSettings, rename_reserved_words


class SentenceWords:
    """Turns any text into words, an empty or foreign one too; loads no torch.

    Built once: a long list of known words takes seconds. The arguments are those of `CodecParts`.

    Args:
        text: how raw text becomes words.
        known_words: one a line; None for none.
        whole_phrases: one a line; None leaves all phrases whole.
        corrections: wrong token -> the tokens that replace it.

    Raises:
        ValueError: a package is missing.
    """

    def __init__(
        self,
        text: TextSettings,
        known_words: str | None,
        whole_phrases: str | None,
        corrections: Mapping[str, list[str]],
    ) -> None:
        check_packages(KEEPING_PACKAGES)
        self._pipeline = KeepingPipeline(text, _lines(known_words), corrections)
        self._whole = _lines(whole_phrases)

    def __call__(self, sentence: str) -> list[str]:
        """Return the words without EOS, any number of them."""
        words = self._pipeline(sentence)
        if self._whole is None or not any("_" in word for word in words):
            return words
        return [part for word in words for part in self._parts(word, self._whole)]

    def _parts(self, word: str, whole: frozenset[str]) -> list[str]:
        parts = word.split("_")
        if word in whole or len(parts) == 1 or not all(parts):
            return [word]
        return rename_reserved_words(parts)


def _lines(text: str | None) -> Dictionary:
    return None if text is None else frozenset(text.split("\n")[:-1])
