import numpy as np
import pytest

from rrnn_lit.evaluation.categories import categories_of
from rrnn_lit.evaluation.confusions import Confusion, confusions_of, median_cosines
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.vectors import WordVectors
from tests.evaluation.reports import by_hand

WORDS = ["two", "three", "dog", "Dog", "cat", *SPECIAL_LABELS]


def dictionary() -> WordVectors:
    vectors = np.random.default_rng(0).standard_normal((len(WORDS), 4))
    vectors[:5] = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 2, 0], [0, 0, 0, 1]]
    return WordVectors(WORDS, vectors.astype(np.float16))


def find(pairs: list[tuple[str, str]]) -> list[Confusion]:
    evaluated = by_hand(pairs, WORDS)
    categories = categories_of(evaluated.target_N, evaluated.lengths_B, WORDS)
    return confusions_of(evaluated, categories, dictionary())


def test_pairs_by_hand() -> None:
    found = find(
        [
            ("dog two EOS", "cat three EOS"),
            ("two two EOS", "three two EOS"),
            ("two dog EOS", "cat - EOS"),
        ]
    )
    assert found == [
        Confusion("number words", "two", "three", 2, 4, 0.7071),
        Confusion("other words", "dog", "cat", 1, 2, 0.0),
        Confusion("number words", "two", "cat", 1, 4, 0.0),
        Confusion("other words", "dog", "", 1, 2, None),
    ]


def test_a_word_counts_in_the_category_of_its_place() -> None:
    first, second = find([("Dog Dog EOS", "dog dog EOS")])
    assert {first.category, second.category} == {"names", "other words"}
    assert (first.num_target, second.num_target) == (1, 1)
    assert first.cosine == second.cosine == 1.0


def test_without_a_wrong_word_there_is_no_pair() -> None:
    assert find([("dog EOS", "dog EOS")]) == []


def test_medians_weigh_a_pair_by_its_count() -> None:
    found = find([("two two dog", "three three cat"), ("two two dog", "three cat -")])
    assert median_cosines(found) == pytest.approx({"number words": 0.7071, "other words": 0.0})
