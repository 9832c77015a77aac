"""Other ways to find out whether the target is the nearest word, each at its best.

Every peer gets a dictionary of unit vectors prepared before the clock starts. Peers that return
the nearest word are asked whether it is the target: a duplicate with a lower word_id then counts
against them, which is what happens in training. Packages that may be missing are imported by
name, so that type checking does not ask for them.

Shapes: N predictions, V vocab_size, W word_dim, C words of a chunk.
"""

import contextlib
import io
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rrnn_lit.bench.ceilings import matmul_precision
from rrnn_lit.bench.match_data import Predictions

# (predictions, margin) -> bool (N,); who cannot tell by how much the target leads ignores margin
Answer = Callable[[Predictions, float], Tensor]
_CHUNK_WORDS = 8_192


def naive(unit_VW: Tensor) -> Answer:
    """Return the plain way: all scores in memory, then argmax."""

    def answer(given: Predictions, margin: float) -> Tensor:
        return (given.predicted_NW @ unit_VW.T).argmax(dim=1) == given.target_ids_N

    return answer


def chunked_argmax(unit_VW: Tensor) -> Answer:
    """Return the plain way in chunks of words, in the precision of `unit_VW`."""

    def answer(given: Predictions, margin: float) -> Tensor:
        query_NW = F.normalize(given.predicted_NW).to(unit_VW.dtype)
        best_N = torch.full_like(query_NW[:, 0], -torch.inf)
        best_id_N = torch.zeros_like(given.target_ids_N)
        for start, words_CW in _chunks(unit_VW):
            score_N, column_N = (query_NW @ words_CW.T).max(dim=1)
            better_N = score_N > best_N
            best_N = torch.where(better_N, score_N, best_N)
            best_id_N = torch.where(better_N, column_N + start, best_id_N)
        return best_id_N == given.target_ids_N

    return answer


def chunked_amax(unit_VW: Tensor) -> Answer:
    """Return the largest other score compared with the target's, in chunks of words."""

    def answer(given: Predictions, margin: float) -> Tensor:
        query_NW = F.normalize(given.predicted_NW).to(unit_VW.dtype)
        ids_N = given.target_ids_N
        limit_N = (query_NW.float() * unit_VW[ids_N].float()).sum(dim=1) - margin
        matched_N = torch.ones_like(ids_N, dtype=torch.bool)
        for start, words_CW in _chunks(unit_VW):
            scores_NC = query_NW @ words_CW.T
            own = ((ids_N >= start) & (ids_N < start + len(words_CW))).nonzero().squeeze(1)
            scores_NC[own, ids_N[own] - start] = -torch.inf
            matched_N &= scores_NC.amax(dim=1) <= limit_N
        return matched_N

    return answer


def _chunks(unit_VW: Tensor) -> Iterator[tuple[int, Tensor]]:
    starts = range(0, len(unit_VW), _CHUNK_WORDS)
    return zip(starts, unit_VW.split(_CHUNK_WORDS), strict=True)


def with_matmul_precision(precision: str, answer: Answer) -> Answer:
    """Return `answer` under another setting of torch's float32 products."""

    def other(given: Predictions, margin: float) -> Tensor:
        with matmul_precision(precision):
            return answer(given, margin)

    return other


def faiss_flat(unit_VW: Tensor, metric: str) -> Answer:
    """Return FAISS's exhaustive index, `IP` inner product or `L2` distance, k = 1."""
    faiss: Any = import_module("faiss")

    faiss.omp_set_num_threads(torch.get_num_threads())
    index = getattr(faiss, f"IndexFlat{metric}")(unit_VW.shape[1])
    index.add(unit_VW.numpy())

    def answer(given: Predictions, margin: float) -> Tensor:
        _, ids_N1 = index.search(F.normalize(given.predicted_NW).numpy(), 1)
        return torch.from_numpy(ids_N1[:, 0]) == given.target_ids_N

    return answer


def gensim_most_similar(unit_VW: Tensor) -> Answer:
    """Return gensim's `most_similar`, which takes one query at a time."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(unit_VW.shape[1])
    vectors.add_vectors([str(i) for i in range(len(unit_VW))], unit_VW.numpy())
    vectors.fill_norms()

    def answer(given: Predictions, margin: float) -> Tensor:
        rows = given.predicted_NW.numpy()
        nearest = [int(vectors.most_similar(positive=[row], topn=1)[0][0]) for row in rows]
        return torch.tensor(nearest) == given.target_ids_N

    return answer


def keops_argmin(unit_VW: Tensor) -> Answer:
    """Return KeOps' argmin over a symbolic matrix; compiles when first asked."""
    # on a machine without CUDA the import prints a warning
    with contextlib.redirect_stdout(io.StringIO()):
        keops: Any = import_module("pykeops")
        symbolic: Any = import_module("pykeops.torch").LazyTensor
    keops.set_verbose(False)
    words = symbolic(unit_VW[None])

    def answer(given: Predictions, margin: float) -> Tensor:
        queries = symbolic(F.normalize(given.predicted_NW)[:, None].contiguous())
        nearest_N1: Tensor = (-(queries | words)).argmin(dim=1)
        return nearest_N1[:, 0] == given.target_ids_N

    return answer
