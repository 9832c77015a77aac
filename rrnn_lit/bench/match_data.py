"""Dictionary and predictions for `rrnn bench match`, and the float64 answer they are judged by.

The dictionary imitates word vectors: frequent words first, clusters of similar words, a direction
that all share, a few duplicates and multiples. The predictions imitate three stages of training.
None of it is language; `--folder` takes a real dictionary instead.

Shapes: N predictions, V vocab_size, W word_dim, C words of a chunk.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rrnn_lit.bench.zipf import zipf_weights
from rrnn_lit.words.parallel import parallel_groups

Kind = Literal["unmatched", "mixed", "matched"]
KINDS: tuple[Kind, ...] = ("unmatched", "mixed", "matched")
_WORDS_PER_CLUSTER = 50
_COPY_EVERY = 1_000  # words; one duplicate and one multiple in each such range
_CHUNK_WORDS = 8_192
_TOLERANCE = 1e-12


class Predictions(NamedTuple):
    """Rows to be matched: `predicted_NW` float32, `target_ids_N` int64."""

    predicted_NW: Tensor
    target_ids_N: Tensor


def make_dictionary(vocab_size: int, word_dim: int, seed: int) -> Tensor:
    """Return a dictionary (V, W), float16 as the package stores it."""
    generator = torch.Generator().manual_seed(seed)
    num_clusters = max(1, vocab_size // _WORDS_PER_CLUSTER)
    centres = torch.randn(num_clusters, word_dim, generator=generator)
    cluster_V = torch.randint(num_clusters, (vocab_size,), generator=generator)
    vectors_VW = centres[cluster_V] + torch.randn(vocab_size, word_dim, generator=generator)
    vectors_VW += 0.5 * torch.randn(word_dim, generator=generator)
    stored_VW = (0.1 * vectors_VW).half()
    # powers of two: the multiples are exact in float16
    for place, factor in ((_COPY_EVERY // 2, 1.0), (_COPY_EVERY // 2 + 2, 2.0)):
        copies = torch.arange(vocab_size)[place::_COPY_EVERY]
        stored_VW[copies] = factor * stored_VW[copies - 1]
    return stored_VW


def make_predictions(
    dictionary_VW: Tensor, kind: Kind, num_rows: int, generator: torch.Generator
) -> Predictions:
    """Return predictions of words that are drawn by Zipf's law.

    Args:
        dictionary_VW: any floating dtype, on the CPU.
        kind: `unmatched`, an early network that predicts about the same vector everywhere;
            `mixed`, errors of every size, half of their energy towards another word; `matched`,
            a small error everywhere.
        num_rows: N.
        generator: of the CPU.
    """
    vectors_VW = dictionary_VW.float()
    num_words = len(vectors_VW)
    weights_V = torch.from_numpy(zipf_weights(num_words))
    ids_N = torch.multinomial(weights_V, num_rows, replacement=True, generator=generator)
    target_NW = F.normalize(vectors_VW[ids_N])
    other_N = torch.randint(num_words, (num_rows,), generator=generator)
    noise_NW = F.normalize(torch.randn(target_NW.shape, generator=generator))
    if kind == "unmatched":
        common_W = F.normalize(vectors_VW[:1_000].mean(dim=0), dim=0)
        predicted_NW = common_W + 0.1 * target_NW + 0.1 * noise_NW
    elif kind == "mixed":
        error_NW = F.normalize(F.normalize(vectors_VW[other_N]) + noise_NW)
        size_N = 0.3 + 1.7 * torch.rand(num_rows, generator=generator)
        predicted_NW = target_NW + size_N[:, None] * error_NW
    else:
        predicted_NW = target_NW + 0.3 * noise_NW
    return Predictions(predicted_NW, ids_N)


def brute_force(dictionary_VW: Tensor, predictions: Predictions, margin: float) -> Tensor:
    """Return the bool answer (N,) of every cosine in float64, one chunk of words at a time.

    True where no word but the target and its exact parallels has a cosine above the target's
    minus `margin`.
    """
    unit_NW = F.normalize(predictions.predicted_NW.double())
    ids_N = predictions.target_ids_N
    limit_N = (unit_NW * F.normalize(dictionary_VW[ids_N].double())).sum(dim=1) - margin
    group_V = parallel_group(dictionary_VW)
    matched_N = torch.ones_like(ids_N, dtype=torch.bool)
    for start in range(0, len(dictionary_VW), _CHUNK_WORDS):
        part = slice(start, start + _CHUNK_WORDS)
        scores_NC = unit_NW @ F.normalize(dictionary_VW[part].double()).T
        scores_NC.masked_fill_(group_V[part] == group_V[ids_N][:, None], -torch.inf)
        matched_N &= scores_NC.amax(dim=1) <= limit_N + _TOLERANCE
    return matched_N


def parallel_group(dictionary_VW: Tensor) -> Tensor:
    """Return a number for each word (V,) that only it and its exact parallels have."""
    group_V = torch.arange(len(dictionary_VW), device=dictionary_VW.device)
    for group in parallel_groups(dictionary_VW.cpu().numpy()):
        group_V[torch.from_numpy(group)] = int(group[0])
    return group_V
