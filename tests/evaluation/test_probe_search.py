import sys

import numpy as np
import pytest

from rrnn_lit.evaluation.probe_search import Best, best_by_product, search_function
from rrnn_lit.evaluation.probes import cosines

RANDOM = np.random.default_rng(0)
QUERIES = RANDOM.standard_normal((3, 8)).astype(np.float32)
SENTENCES = RANDOM.standard_normal((50, 8)).astype(np.float32)


def in_blocks(size: int, number: int, search: str = "product") -> Best:
    best, function = Best(len(QUERIES), number), search_function(search)
    for start in range(0, len(SENTENCES), size):
        scores, columns = function(QUERIES, SENTENCES[start : start + size], number)
        best.add(scores, columns + start)
    return best


@pytest.mark.parametrize("size", [1, 7, 50])
@pytest.mark.parametrize("number", [1, 5, 60])
def test_blocks_give_the_best_of_all(size: int, number: int) -> None:
    best = in_blocks(size, number)
    expected = np.argsort(-cosines(QUERIES, SENTENCES), axis=1)[:, :number]
    np.testing.assert_array_equal(best.places_QK, expected)
    assert (np.diff(best.scores_QK, axis=1) <= 0).all()


def test_of_equal_scores_the_earlier_sentence_wins() -> None:
    block = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [3.0, 0.0]])
    best = Best(1, 2)
    for start in (0, 2):
        scores, columns = best_by_product(np.array([[1.0, 0.0]]), block[start : start + 2], 2)
        best.add(scores, columns + start)
    np.testing.assert_array_equal(best.places_QK, [[0, 2]])


def test_faiss_finds_the_same() -> None:
    pytest.importorskip("faiss")
    one, other = in_blocks(20, 5), in_blocks(20, 5, "faiss")
    np.testing.assert_array_equal(one.places_QK, other.places_QK)
    np.testing.assert_allclose(one.scores_QK, other.scores_QK, rtol=1e-5, atol=1e-6)


def test_faiss_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(
        ValueError, match="--search: wanted product.*got no faiss; run pip install"
    ):
        search_function("faiss")
