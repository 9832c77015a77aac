"""Possessive endings: `truck` `'s` becomes `truck` `s`, `today` `'s` becomes `today's`.

The paper's Table 1 shows the first; which words keep their ending is the dictionary's say.
"""

from rrnn_lit.text.dictionary import Dictionary


def settle_possessives(tokens: list[str], dictionary: Dictionary) -> list[str]:
    """Tokens in which each `'s` is either part of a dictionary word or the token `s`.

    The bare apostrophe of a plural (`workers` `'`) is joined when the dictionary has the whole
    and no single quote is open; otherwise it stays the mark that it is.
    """
    settled: list[str] = []
    quote_is_open = False
    for token in tokens:
        joined = settled[-1] + token if settled else token
        known = dictionary is not None and joined in dictionary
        if token in ("'s", "'S"):
            if known and settled:
                settled[-1] = joined
            else:
                settled.append(token[1:])
        elif token == "'":
            if known and not quote_is_open and joined[-2:-1] in ("s", "S"):
                settled[-1] = joined
            else:
                quote_is_open = not quote_is_open
                settled.append(token)
        else:
            settled.append(token)
    return settled
