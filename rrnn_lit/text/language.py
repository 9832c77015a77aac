"""Keep English sentences, drop others only when the identifier is confident (D-40)."""

from functools import cache
from typing import Any


def is_other_language(text: str, threshold: float) -> bool:
    """True when some language but English has probability `threshold` or more.

    Args:
        text: the sentence as it was written. Transliterated text hides the strongest evidence,
            the script, and looks like a language of its own.
        threshold: in (0, 1]; 0 disables. Short or mixed text spreads its probability over many
            languages and is kept.
    """
    if threshold == 0:
        return False
    probability: float
    language, probability = _identifier().classify(text)
    if language == "en":
        if probability > 1 - threshold:
            return False  # the common case: nothing left for another language to reach it
        probability = _identifier().rank(text)[1][1]
    return probability >= threshold


@cache
def _identifier() -> Any:
    """py3langid's identifier with probabilities; takes half a second, so once per process."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
