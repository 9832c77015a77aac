"""What the text steps ask the dictionary of word vectors.

Only membership: the vectors themselves live in the words room.
"""

import re

# None means that vectors will be trained on this very corpus, so no word is known yet.
Dictionary = frozenset[str] | None

_LETTER = re.compile("[A-Za-z]")


def is_known_word(token: str, dictionary: Dictionary) -> bool:
    """True when the dictionary has the token and the token holds a letter.

    Large published dictionaries also hold entries such as `-6` or `.1`. They are left out
    here, so that numbers and marks are treated alike whether or not one of them got in.
    """
    return dictionary is not None and token in dictionary and _LETTER.search(token) is not None
