"""Brackets, bars and repeated marks brought to one spelling, before words are cut.

Rules of the author's implementation and two of ours.
"""

import re

_BRACKETS = str.maketrans("[{]}", "(())")
_BARS = re.compile(r"[|\\]+")
_EXCLAMATIONS = re.compile(r"!{2,}")
# Ours: rules drawn with hyphens, and an ellipsis typed with spaces, are one mark each; cut
# later they would become a row of dashes or of full stops.
_LONG_DASHES = re.compile(r"-{3,}")
_SPACED_ELLIPSIS = re.compile(r"\.(?: \.){2,}")
# without any of these no rule has work
_SIGNS = ("[", "{", "}", "]", "|", "\\", "!!", "?!", "---", ". .")


def normalise_markup(text: str) -> str:
    """Text with round brackets only, no bar or backslash, `? !` for `?!`, one `!` for many.

    Blanks are collapsed again, so an empty result means that only bars were there.
    """
    if not any(sign in text for sign in _SIGNS):
        return " ".join(text.split())
    text = _BARS.sub(" ", text.translate(_BRACKETS))
    text = _EXCLAMATIONS.sub("!", text).replace("?!", "? !")
    text = _SPACED_ELLIPSIS.sub("...", _LONG_DASHES.sub(" -- ", text))
    return " ".join(text.split())
