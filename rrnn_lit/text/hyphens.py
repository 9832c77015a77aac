"""Hyphens as tokens of their own: `female-owned` becomes `female - owned` (paper, Table 1)."""

import re

from rrnn_lit.text.dictionary import Dictionary, is_known_word

_DASH = re.compile("(-+)")


def split_hyphens(tokens: list[str], dictionary: Dictionary) -> list[str]:
    """Tokens with each hyphen cut out, unless the dictionary has the hyphenated word.

    Two or more hyphens in a row are the mark `--`, also inside a word.
    """
    split: list[str] = []
    for token in tokens:
        if "-" not in token or is_known_word(token, dictionary):
            split.append(token)
        else:
            split += [
                "--" if piece.startswith("--") else piece for piece in _DASH.split(token) if piece
            ]
    return split
