"""Keep English sentences, drop others only when the identifier is confident (D-40)."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from rrnn_lit.text.english import are_surely_english


def are_other_languages(texts: Sequence[str], threshold: float) -> list[bool]:
    """True where some language but English has probability `threshold` or more.

    Args:
        texts: the sentences as they were written. Transliterated text hides the strongest
            evidence, the script, and looks like a language of its own.
        threshold: in (0, 1]; 0 disables. Short or mixed text spreads its probability over many
            languages and is kept.
    """
    if threshold == 0:
        return [False] * len(texts)
    sure = are_surely_english(texts, threshold, _identifier())  # the common case
    rest = [text for text, english in zip(texts, sure, strict=True) if not english]
    asked = iter(ask_library(rest, threshold))
    return [not english and next(asked) for english in sure]


def ask_library(texts: Sequence[str], threshold: float) -> list[bool]:
    """Return the same from py3langid alone, which takes many times as long."""
    return [threshold != 0 and _is_other_language(text, threshold) for text in texts]


def _is_other_language(text: str, threshold: float) -> bool:
    probability: float
    language, probability = _identifier().classify(text)
    if language == "en":
        if probability > 1 - threshold:
            return False  # nothing left for another language to reach it
        probability = _identifier().rank(text)[1][1]
    return probability >= threshold


@cache
def _identifier() -> Any:
    """py3langid's identifier with probabilities; takes half a second, so once per process."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
