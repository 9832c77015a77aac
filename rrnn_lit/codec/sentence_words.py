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
        self._pipeline = KeepingPipeline(text, set_of_lines(known_words), corrections)
        self._whole = set_of_lines(whole_phrases)

    def __call__(self, sentence: str) -> list[str]:
        """Return the words without EOS, any number of them."""
        words = self._pipeline(sentence)
        return words if self._whole is None else cut_phrases(words, self._whole)


def cut_phrases(tokens: list[str], whole: frozenset[str]) -> list[str]:
    """Return tokens in which all phrases but the whole ones are cut back into words."""
    if not any("_" in token for token in tokens):
        return tokens
    return [word for token in tokens for word in _words_of(token, whole)]


def _words_of(token: str, whole: frozenset[str]) -> list[str]:
    words = token.split("_")
    if token in whole or len(words) == 1 or not all(words):
        return [token]
    return rename_reserved_words(words)


def set_of_lines(text: str | None) -> Dictionary:
    """Return the words of a list with one a line; None for no list."""
    return None if text is None else frozenset(text.split("\n")[:-1])
