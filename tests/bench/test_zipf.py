import numpy as np
import pytest

from rrnn_lit.bench.zipf import draw_word_ids, zipf_weights


def test_weights_by_hand() -> None:
    assert zipf_weights(3).tolist() == [1 / 10, 1 / 11, 1 / 12]


def test_words_come_as_often_as_their_weights_say() -> None:
    word_ids = draw_word_ids(5, 20_000, np.random.default_rng(0))
    assert word_ids.dtype == np.uint32
    shares = np.bincount(word_ids, minlength=5) / 20_000
    weights = zipf_weights(5)
    # four standard deviations of a share of 0.2
    assert shares == pytest.approx(weights / weights.sum(), abs=0.012)
