"""A fast yes to "is this English?", so that py3langid need only be asked about the rest.

py3langid walks over the bytes of a text with an automaton whose states name features, and gives
each language the score

    sum over the features met of log(1 + count) * weight, plus a prior

The scores over the square root of the number of bytes, through a softmax, are the probabilities.
A language whose score, so divided, exceeds that of English by less than log(t / (1 - t)) has a
probability below t. That takes no softmax, and instead of each language's weight the largest of a
group of related ones will do. As the automaton's state depends on no more than the last few bytes,
numpy walks at all places of many texts at once.

Memory: some 10 MB, and 1 MB while 100 texts are judged.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

# Groups whose languages share their letters and many of their words; all others are one more. Any
# grouping is right: this one leaves 7 of 1,000 English news sentences to py3langid, none would 1.
_GROUPS = (
    "pcm",
    "nl af fy lb de",
    "da no nn sv fo is",
    "fr wa oc ca gcf gcr ht an",
    "es pt gl ext",
    "it la vec lij ro vo eo",
    "pl cs sk sl hr bs lt lv ltg",
    "fi et hu eu mt",
    "tr az tk uz crh",
    "id ms jv tl bcl ace mg",
    "sw zu xh rw sn st nso lg ln kik",
    "so om ig yo ha fuv guw",
    "cy ga gd br kab",
    "qu gug",
    "zxx",
)

# A label may be the sum of two, which makes log 2. The rest is for rounding: with weights below 16
# a score of n features is off by less than n * 2^-24 * 11 n in float32; two scores of theirs and a
# difference of ours, of twice the size, are together off by less than 0.1 sqrt(n) at n <= 1,000.
_SAFE = math.log(2) + 0.1
_LARGEST_WEIGHT = 16
_MOST_BYTES = 1_000
_MOST_CERTAIN = 0.99  # close to 1 probabilities themselves are rounded
_MOST_REMEMBERED = 8  # bytes that the state of the automaton may depend on
_OUTSIDE_UTF8 = b"\xff"

_Array = Any  # numpy is imported where it is used
# texts -> for each the best score of other languages less that of English, at least; infinite
# where nothing is known
_Margins = Callable[[Sequence[bytes]], _Array]
# texts -> features at all their places, and in which of the texts each of them is
_Walk = Callable[[Sequence[bytes]], tuple[_Array, _Array]]


def are_surely_english(texts: Sequence[str], threshold: float, identifier: Any) -> list[bool]:
    """True only where every language but English has a probability below `threshold`.

    False says nothing.

    Args:
        texts: see `is_other_language`.
        threshold: in (0, 1].
        identifier: of py3langid; its tables are read once.
    """
    margins_of = _margins(identifier)
    encoded = [_encoded(text) for text in texts]
    short = [text for text in encoded if 0 < len(text) <= _MOST_BYTES]
    if margins_of is None or not short:
        return [False] * len(texts)
    likely = min(threshold, _MOST_CERTAIN)
    limit = math.log(likely / (1 - likely)) - _SAFE
    margins = iter(margins_of(short).tolist())
    return [
        0 < len(text) <= _MOST_BYTES and next(margins) < limit * math.sqrt(len(text))
        for text in encoded
    ]


def _encoded(text: str) -> bytes:
    """Return the bytes that py3langid looks at."""
    if text.isupper():
        text = text.lower()
    return unicodedata.normalize("NFC", text).encode("utf8", errors="surrogatepass")


@lru_cache(maxsize=2)
def _margins(identifier: Any) -> _Margins | None:
    """None for a model that this file does not count on."""
    import numpy as np

    all_weights, all_priors = identifier.nb_ptc.astype(np.float32), identifier.nb_pc
    largest = max(abs(all_weights).max(), abs(all_priors).max())
    if "en" not in identifier.nb_classes or largest >= _LARGEST_WEIGHT:
        return None
    walk = _walk(identifier)
    if walk is None:
        return None
    english = identifier.nb_classes.index("en")
    groups = _columns_of_groups(identifier.nb_classes)
    weights = np.stack([all_weights[:, group].max(axis=1) for group in groups], axis=1)
    weights -= all_weights[:, english, None]
    priors = np.array([all_priors[group].max() for group in groups]) - all_priors[english]
    logs = np.log1p(np.arange(_MOST_BYTES + 1, dtype=np.float32))

    def margins(texts: Sequence[bytes]) -> _Array:
        features, places = walk(texts)
        pairs, counts = np.unique(places * len(weights) + features, return_counts=True)
        places, features = np.divmod(pairs, len(weights))
        found = np.full(len(texts), np.inf)
        if len(pairs):
            starts = np.flatnonzero(np.diff(places, prepend=-1))
            scores = np.add.reduceat(weights[features] * logs[counts, None], starts, axis=0)
            found[places[starts]] = (scores + priors).max(axis=1)
        return found

    return margins


def _columns_of_groups(languages: Sequence[str]) -> list[list[int]]:
    """Columns of the weights that are taken together, those of English left out."""
    names = [group.split() for group in _GROUPS]
    grouped = {"en"}.union(*names)
    names.append([name for name in languages if name not in grouped])
    groups = [[i for i, name in enumerate(languages) if name in group] for group in names]
    return [group for group in groups if group]


def _walk(identifier: Any) -> _Walk | None:
    """None if the automaton's states depend on too many bytes."""
    import numpy as np

    row_of = np.asarray(identifier.tk_row, dtype=np.intp)
    next_states = np.asarray(identifier.tk_nextmove)
    outputs = np.asarray(identifier.tk_output, dtype=np.intp)
    table = next_states.reshape(-1, 256)
    remembered = _remembered_bytes(table, row_of)
    # the byte between two texts must lead back to the start, and the start have no feature
    if remembered is None or table[:, _OUTSIDE_UTF8[0]].any() or outputs[0] >= 0:
        return None
    rows = row_of << 8
    # from the start over two bytes at once
    pairs = rows[table[row_of[table[row_of[0]]]]].ravel()
    before = _OUTSIDE_UTF8 * (remembered - 1)

    def walk(texts: Sequence[bytes]) -> tuple[_Array, _Array]:
        joined = before + before.join(texts)
        read = np.frombuffer(joined, dtype=np.uint8).astype(np.intp)
        count = len(read) - remembered + 1
        states = pairs[(read[:count] << 8) + read[1 : count + 1]]
        for place in range(2, remembered - 1):
            states = rows[next_states[states + read[place : place + count]]]
        features = outputs[next_states[states + read[remembered - 1 :]]]
        lengths = np.array([len(text) for text in texts]) + remembered - 1
        places = np.repeat(np.arange(len(texts)), lengths)[:count]
        met = features >= 0
        return features[met], places[met]

    return walk


def _remembered_bytes(table: _Array, row_of: _Array) -> int | None:
    """Number of bytes after which it does not matter in which state they were met.

    Found by letting all states and the first one read the same bytes until they agree.

    Args:
        table: state after each byte, a row for each kind of state, (rows, 256).
        row_of: row of each state.
    """
    import numpy as np

    num_rows, num_states = len(table), len(row_of)
    pairs = np.unique(row_of * num_rows + row_of[0])
    for num_bytes in range(1, _MOST_REMEMBERED + 1):
        left, right = np.divmod(pairs, num_rows)
        left, right = left[left != right], right[left != right]
        found = [np.empty(0, np.intp)]
        for start in range(0, len(left), 4096):  # a block at a time, for the memory
            one, other = table[left[start : start + 4096]], table[right[start : start + 4096]]
            differs = one != other
            found.append(np.unique(one[differs] * np.intp(num_states) + other[differs]))
        states = np.unique(np.concatenate(found))
        if not len(states):
            return max(num_bytes, 3)  # two at once and a last one
        pairs = np.unique(row_of[states // num_states] * num_rows + row_of[states % num_states])
    return None
