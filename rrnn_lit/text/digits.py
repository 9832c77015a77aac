"""Digits as number words, each on its own: `30` becomes `three` `zero` (D-43).

The paper found that spelled digits are decoded better. Nothing tells `2` from a plain `two`
afterwards; reports say so.
"""

import re

from rrnn_lit.text.dictionary import Dictionary, is_known_word

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_SPELLED = {str(digit): word for digit, word in enumerate(NUMBER_WORDS)}
_DIGIT = re.compile(r"\d")
_THOUSANDS_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# A digit; the letters between digits with their inner stops and apostrophes; any other mark.
_PIECE = re.compile(r"\d|[A-Za-z]+(?:['.][A-Za-z]+)*|.")


def spell_digits(tokens: list[str], dictionary: Dictionary) -> list[str]:
    """Tokens without digits, save in words that the dictionary has (`MP3`, `3rd`).

    `7.5` becomes `seven . five`, `1,000` becomes `one zero zero zero`, and letters are kept as
    a token of their own: `21st` becomes `two one st`.
    """
    if not _DIGIT.search("".join(tokens)):
        return tokens
    spelled: list[str] = []
    for token in tokens:
        if token.isalpha() or not _DIGIT.search(token) or is_known_word(token, dictionary):
            spelled.append(token)
        else:
            pieces = _PIECE.findall(_THOUSANDS_COMMA.sub("", token))
            spelled += [_SPELLED.get(piece, piece) for piece in pieces]
    return spelled
