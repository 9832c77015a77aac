"""Which neighbours words keep when vectors change.

Shapes: V words, W word_dim, N words looked at, K neighbours, B words of a block.
"""

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.exact_units import Units, cosines

NUM_NEIGHBOURS = 10
_WORDS_AT_ONCE, _BLOCK = 256, 16_384

Ids = npt.NDArray[np.int64]


def neighbours_kept(
    before_VW: Units, after_VW: Units, word_ids_N: Ids, number: int = NUM_NEIGHBOURS
) -> float | None:
    """Return the mean share of each word's nearest words that are still among them.

    Args:
        before_VW: rows of length 1 on the grid of `exact_units`, at least `number` + 1.
        after_VW: the same words afterwards.
        word_ids_N: words to look at; none gives None.
        number: neighbours of each.
    """
    if not len(word_ids_N):
        return None
    kept = 0
    for start in range(0, len(word_ids_N), _WORDS_AT_ONCE):
        some = word_ids_N[start : start + _WORDS_AT_ONCE]
        pairs = zip(
            nearest_words(before_VW, some, number).tolist(),
            nearest_words(after_VW, some, number).tolist(),
            strict=True,
        )
        kept += sum(len(set(before) & set(after)) for before, after in pairs)
    return kept / (len(word_ids_N) * number)


def nearest_words(units_VW: Units, word_ids_N: Ids, number: int) -> Ids:
    """Return the words of largest cosine, (N, number), nearest first, the lower id among equals.

    A word is no neighbour of itself.
    """
    best_NK = np.full((len(word_ids_N), number), -3.0)
    ids_NK = np.full((len(word_ids_N), number), -1, dtype=np.int64)
    for first in range(0, len(units_VW), _BLOCK):
        cosine_NB = cosines(units_VW[word_ids_N], units_VW[first : first + _BLOCK])
        own_N = np.flatnonzero((word_ids_N >= first) & (word_ids_N < first + cosine_NB.shape[1]))
        cosine_NB[own_N, word_ids_N[own_N] - first] = -2.0
        least = max(cosine_NB.shape[1] - number, 0)
        enough_N = np.partition(cosine_NB, least, axis=1)[:, least]
        for row, enough in enumerate(np.maximum(enough_N, best_NK[:, -1]).tolist()):
            columns = np.flatnonzero(cosine_NB[row] >= enough)
            values = np.concatenate([best_NK[row], cosine_NB[row, columns]])
            ids = np.concatenate([ids_NK[row], first + columns])
            order = np.argsort(-values, kind="stable")[:number]
            best_NK[row], ids_NK[row] = values[order], ids[order]
    return ids_NK
