"""Words by Zipf's law, flattened at the top: the word of rank r in proportion to 1 / (10 + r)."""

import numpy as np
import numpy.typing as npt

_FLATTENED_RANKS = 10


def zipf_weights(num_words: int) -> npt.NDArray[np.float64]:
    """Return what the frequency of each word is proportional to, the most frequent one first."""
    return 1.0 / (_FLATTENED_RANKS + np.arange(num_words))


def draw_word_ids(
    num_words: int, num_drawn: int, generator: np.random.Generator
) -> npt.NDArray[np.uint32]:
    """Return so many words of a dictionary of `num_words`."""
    cumulative = np.cumsum(zipf_weights(num_words))
    places = generator.random(num_drawn) * cumulative[-1]
    word_ids: npt.NDArray[np.uint32] = np.searchsorted(cumulative, places, side="right").astype(
        np.uint32
    )
    return word_ids
