"""Word ids of many sentences to their vectors, in batches of like length.

Shapes: B sentences of a batch, T words of the longest, M all sentences.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rrnn_lit.codec.network import Network

# words of a batch: bounds memory where sentences are long, and does not bind where they are not
MOST_WORDS = 16_384

Ids = npt.NDArray[np.int64]


def batches_of_like_length(lengths_M: Ids, batch_size: int) -> Iterator[Ids]:
    """Yield the places of each batch, longest sentences first.

    Args:
        lengths_M: number of words of each sentence.
        batch_size: most sentences of a batch; it has fewer where MOST_WORDS would be exceeded.
    """
    order_M = np.argsort(-lengths_M, kind="stable")
    start = 0
    while start < len(order_M):
        longest = int(lengths_M[order_M[start]])
        size = max(1, min(batch_size, MOST_WORDS // longest))
        yield order_M[start : start + size]
        start += size


def encode_ids(
    network: Network, sentences: Sequence[Sequence[int]], batch_size: int
) -> npt.NDArray[np.float32]:
    """Return one vector a sentence, in the given order.

    Args:
        network: the encoder.
        sentences: word_ids with EOS at the end.
        batch_size: most sentences computed at once, at least 1.
    """
    lengths_M = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    vectors = np.empty((len(sentences), network.sentence_vector_size), dtype=np.float32)
    for places_B in batches_of_like_length(lengths_M, batch_size):
        batch = [sentences[place] for place in places_B]
        vectors[places_B] = network.encode(*padded(batch)).numpy()
    return vectors


def padded(sentences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return word_ids_BT, 0 beyond a sentence, and lengths_B."""
    lengths_B = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    word_ids_BT = np.zeros((len(sentences), lengths_B.max()), dtype=np.int64)
    inside_BT = np.arange(word_ids_BT.shape[1]) < lengths_B[:, None]
    word_ids_BT[inside_BT] = np.concatenate([np.asarray(sentence) for sentence in sentences])
    return torch.from_numpy(word_ids_BT), torch.from_numpy(lengths_B)
