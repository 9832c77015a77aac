import numpy as np
import pytest

from rrnn_lit.evaluation.probe_baselines import Overlaps, mean_vectors, overlap
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.vectors import WordVectors

ROWS = np.random.default_rng(0).standard_normal((24, 4)).astype(np.float16)
DICTIONARY = WordVectors(["red", "boat", "sea", *SPECIAL_LABELS], ROWS)


def test_means_are_of_the_known_words_each_as_often_as_it_occurs() -> None:
    means = mean_vectors([["red", "red", "boat", "zebra"], ["zebra"], []], DICTIONARY)
    rows = ROWS.astype(np.float64)
    np.testing.assert_allclose(means[0], (2 * rows[0] + rows[1]) / 3)
    np.testing.assert_array_equal(means[1:], 0)


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        (["a", "b", "c"], ["b", "c", "d"], 0.5),
        (["a", "a"], ["a"], 1.0),
        (["a"], ["b"], 0.0),
        ([], [], 0.0),
        ([], ["a"], 0.0),
    ],
)
def test_overlap_is_the_share_of_common_words(
    first: list[str], second: list[str], share: float
) -> None:
    assert overlap(first, second) == share
    assert overlap(second, first) == share


def test_many_overlaps_equal_one_by_one() -> None:
    generator = np.random.default_rng(1)
    some = [[f"w{i}" for i in generator.integers(0, 9, n)] for n in (0, 1, 3, 5, 8, 3)]
    queries, sentences = some[:3], some[2:]
    expected = [[overlap(query, sentence) for sentence in sentences] for query in queries]
    np.testing.assert_allclose(Overlaps(queries)(sentences), expected)
