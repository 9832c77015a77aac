"""Unicode to printable ASCII (paper section 2.7).

Letters are transliterated, not translated: accents fall, other scripts come out as their
Latin spelling. Which language it is, is not judged here.
"""

import re

# anyascii writes a long dash as a hyphen, which would glue two clauses into one compound, and
# guillemets as two angle brackets, which no later step would take for a quote. Signs of
# ownership would become the words R, C and TM stuck to the name before them.
_BEFORE_TRANSLITERATION = str.maketrans(
    {
        "\u2014": " -- ",
        "\u2015": " -- ",
        "\u00ab": '"',
        "\u00bb": '"',
        "\u00a9": "",
        "\u00ae": "",
        "\u2122": "",
    }
)
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")
_NOT_PRINTABLE = re.compile(r"[^ -~]+")


def to_ascii(text: str) -> str:
    """Text of the characters space to tilde, single spaces inside, none at the ends.

    What has no ASCII counterpart is deleted, control characters and lone surrogates too; a
    tab or line break becomes a space. Empty when nothing is left.
    """
    if text.isascii():
        if text.isprintable() and "  " not in text:
            return text.strip(" ")
    else:
        from anyascii import anyascii

        text = anyascii(text.translate(_BEFORE_TRANSLITERATION))
    return _NOT_PRINTABLE.sub("", _BLANKS.sub(" ", text)).strip(" ")
