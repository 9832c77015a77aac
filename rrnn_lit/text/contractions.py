"""Contractions in one piece, as in the paper's Table 1 (D-44).

Possessives are not touched: an `'s` is joined here only to words whose `'s` means is or has.
"""

from rrnn_lit.text.dictionary import Dictionary

CLITICS = frozenset({"n't", "'d", "'ll", "'m", "'re", "'ve"})

_PRONOUNS = ["it", "he", "she", "that", "there", "here", "let"]
_QUESTION_WORDS = ["what", "who", "where", "how", "when", "why"]
_IS_HOSTS = frozenset([*_PRONOUNS, *_QUESTION_WORDS])

# Words that the Treebank cuts although no mark shows the place, with the length of the first
# piece. Pieces of `cannot` are words of their own and may stand apart in the text, so they are
# never put together again; tokenize.py leaves the word whole to begin with.
UNMARKED = {"cannot": 3, "gonna": 3, "gotta": 3, "wanna": 3, "gimme": 3, "lemme": 3}
_UNMARKED_PAIRS = frozenset(
    (word[:cut], word[cut:]) for word, cut in UNMARKED.items() if word != "cannot"
)
ENDINGS = CLITICS | {"'s"} | {second for _, second in _UNMARKED_PAIRS}


def rejoin_contractions(tokens: list[str], dictionary: Dictionary) -> list[str]:
    """Tokens with `was` `n't` as `wasn't` and the like, where the dictionary has the whole.

    Without a dictionary always. `cannot` and `gonna` are cut, as the Treebank does, when there
    is a dictionary and it lacks them.
    """
    joined: list[str] = []
    for token in tokens:
        ending = token.lower()
        if ending in ENDINGS and joined and _belongs(joined[-1], token, ending, dictionary):
            joined[-1] += token
        elif ending in UNMARKED and dictionary is not None and token not in dictionary:
            cut = UNMARKED[ending]
            joined += [token[:cut], token[cut:]]
        else:
            joined.append(token)
    return joined


def _belongs(host: str, token: str, ending: str, dictionary: Dictionary) -> bool:
    if ending == "'s":
        fits = host.lower() in _IS_HOSTS
    elif ending in CLITICS:
        fits = host[-1].isalpha()
    else:
        fits = (host.lower(), ending) in _UNMARKED_PAIRS
    return fits and (dictionary is None or host + token in dictionary)
