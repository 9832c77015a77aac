import numpy as np
import pytest

from rrnn_lit.words import neighbours
from rrnn_lit.words.exact_units import units_of
from rrnn_lit.words.neighbours import nearest_words, neighbours_kept


def test_equals_a_full_sort_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", 9)
    units, _ = units_of(np.random.default_rng(0).standard_normal((40, 5)).astype(np.float16))
    cosine = units.astype(np.float64) @ units.astype(np.float64).T
    np.fill_diagonal(cosine, -2)
    ids = np.array([0, 13, 39])
    expected = np.argsort(-cosine[ids], axis=1, kind="stable")[:, :4]
    np.testing.assert_array_equal(nearest_words(units, ids, 4), expected)


def test_the_lower_id_comes_first_among_equals() -> None:
    units, _ = units_of(np.array([[1, 0], [0, 1], [1, 1], [2, 2], [3, 3]], dtype=np.float16))
    np.testing.assert_array_equal(nearest_words(units, np.array([3]), 3), [[2, 4, 0]])


def test_a_turned_word_loses_its_neighbours_and_the_others_keep_theirs() -> None:
    before, _ = units_of(np.array([[9, 1], [9, 2], [9, 3], [1, 9], [2, 9]], dtype=np.float16))
    after = before.copy()
    after[0] = [0, 1]
    assert neighbours_kept(before, before, np.arange(5), 2) == 1.0
    assert neighbours_kept(before, after, np.array([0]), 2) == 0.0
    assert neighbours_kept(before, after, np.array([], dtype=np.int64), 2) is None
