"""The special vectors: marks, common words that Word2Vec lacks, EOS and UNK (paper section 2.8).

Shapes: W word_dim.
"""

import numpy as np
import numpy.typing as npt

EOS = "EOS"
UNK = "UNK"
BLANK = ":X:"

# author's implementation, decision D-11; the order is part of the data format
SPECIAL_LABELS: tuple[str, ...] = (
    *(UNK, EOS, "and", "to", "a", "of"),
    *(",", "?", "'", '"', ":", "-", "--", ";", "...", ")", "(", "!", ".", "/"),
    BLANK,
)


def draw_special_vectors(
    mean_W: npt.NDArray[np.float64], std_W: npt.NDArray[np.float64], seed: int
) -> npt.NDArray[np.float64]:
    """Return one random vector per special label with the statistics of the word vectors.

    Args:
        mean_W: mean of the raw word vectors per dimension.
        std_W: standard deviation of the raw word vectors per dimension.
        seed: any non-negative integer; the same seed gives the same vectors.

    Returns:
        `N(0, 1) * std + mean` in the space of the raw vectors, shape (21, W), float64.
    """
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal((len(SPECIAL_LABELS), mean_W.shape[0]))
    return np.asarray(noise * std_W + mean_W)
