"""Sentence lengths with the spread of news text."""

import numpy as np
import numpy.typing as npt

MAX_WORDS = 60
_LOG_MEAN, _LOG_DEVIATION = 3.11, 0.5  # mean 24, half of the sentences have 15 to 31 words


def draw_lengths(num_sentences: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return numbers of words, EOS included: log-normal with mean 24, from 2 to 60."""
    drawn = np.rint(generator.lognormal(_LOG_MEAN, _LOG_DEVIATION, num_sentences))
    return np.clip(drawn, 2, MAX_WORDS).astype(np.int64)
