"""Possessive endings: `truck` `'s` becomes `truck` `s`, `today` `'s` becomes `today's`.

The paper's Table 1 shows the first; which words keep their ending is the dictionary's say.
"""

from rrnn_lit.text.dictionary import Dictionary

_ENDINGS = frozenset({"'s", "'S", "'"})


def settle_possessives(tokens: list[str], dictionary: Dictionary) -> list[str]:
    """Tokens in which each `'s` is either part of a dictionary word or the token `s`.

    The bare apostrophe of a plural (`workers` `'`) is joined when the dictionary has the whole
    and no single quote is open; otherwise it stays the mark that it is.
    """
    settled: list[str] = []
    quote_is_open = False
    for token in tokens:
        if token not in _ENDINGS:
            settled.append(token)
        elif settled and _is_one_word(settled[-1], token, quote_is_open, dictionary):
            settled[-1] += token
        elif token == "'":
            quote_is_open = not quote_is_open
            settled.append(token)
        else:
            settled.append(token[1:])
    return settled


def _is_one_word(host: str, ending: str, quote_is_open: bool, dictionary: Dictionary) -> bool:
    if dictionary is None or host + ending not in dictionary:
        return False
    return ending != "'" or (host[-1] in "sS" and not quote_is_open)
