"""The best of many sentences, which pass by in blocks and are not kept.

Shapes: Q queries, B sentences of a block, K best.
"""

import importlib
import importlib.util
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rrnn_lit.evaluation.probes import Vectors, cosines, unit_vectors

Scores = npt.NDArray[np.floating]
Ids = npt.NDArray[np.int64]
Found = tuple[Scores, Ids]


class Best:
    """The highest scores so far of each query; among equal ones the earlier sentence.

    Args:
        num_queries: Q.
        number: K; fewer as long as fewer sentences passed by.

    Attributes:
        scores_QK: highest first.
        places_QK: number of each sentence, counted from 0 over all blocks.
    """

    def __init__(self, num_queries: int, number: int) -> None:
        self._number = number
        self.scores_QK = np.zeros((num_queries, 0))
        self.places_QK = np.zeros((num_queries, 0), dtype=np.int64)

    def add(self, scores_QB: Scores, places_QB: Ids) -> None:
        """Take sentences that all come after the earlier ones, in rising places."""
        scores = np.concatenate([self.scores_QK, scores_QB], axis=1)
        places = np.concatenate([self.places_QK, places_QB], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, : self._number]
        self.scores_QK = np.take_along_axis(scores, order, axis=1)
        self.places_QK = np.take_along_axis(places, order, axis=1)


def best_of_scores(scores_QB: Scores, number: int) -> Found:
    """Return the highest scores of each query and their columns, by rising column.

    Of columns that tie with the last of them, the earlier ones are among them.
    """
    order_QB = np.argsort(-scores_QB, axis=1, kind="stable")[:, :number]
    columns_QK = np.sort(order_QB, axis=1)
    return np.take_along_axis(scores_QB, columns_QK, axis=1), columns_QK


def best_by_product(query_QS: Vectors, block_BS: Vectors, number: int) -> Found:
    """Return the highest cosines of each query with a block, by one matrix product."""
    return best_of_scores(cosines(query_QS, block_BS), number)


def best_by_faiss(query_QS: Vectors, block_BS: Vectors, number: int) -> Found:
    """Return the same by faiss; nearly equal cosines may change places."""
    faiss = importlib.import_module("faiss")  # ships no types
    scores, columns = faiss.knn(
        unit_vectors(query_QS),
        unit_vectors(block_BS),
        min(number, len(block_BS)),
        metric=faiss.METRIC_INNER_PRODUCT,
    )
    order = np.argsort(columns, axis=1)
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(columns, order, axis=1)


def search_function(name: str) -> Callable[[Vectors, Vectors, int], Found]:
    """Return the search of this name, product or faiss.

    Raises:
        ValueError: there is no such search, or its package is not installed.
    """
    if name == "product":
        return best_by_product
    if name != "faiss":
        raise ValueError(f"--search: wanted product or faiss, got {name!r}")
    if importlib.util.find_spec("faiss") is None:
        raise ValueError(
            "--search: wanted product, or faiss with its package, got no faiss; "
            "run pip install 'rrnn_lit[bench]'"
        )
    return best_by_faiss
