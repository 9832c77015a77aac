"""Sentence vectors to word ids: up to the first decoded EOS, or as many words as are given.

Shapes: B sentences of a batch, T steps, N words of all sentences, A sentences not ended yet,
W word_dim, S sentence_vector_size.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from rrnn_lit.codec.encoding import MOST_WORDS, Ids, batches_of_like_length
from rrnn_lit.codec.network import Network

# The decoder starts anew with each stage, twice as long as the last: a step of it costs far less
# than the search for its nearest word, which is made for every step only once.
_FIRST_STAGE = 16
_STEPS_AT_ONCE = 8  # steps whose nearest words are searched before ended sentences leave


def decode_until_end(
    network: Network, vectors_BS: Tensor, eos_id: int, max_steps: int
) -> list[list[int]]:
    """Return the decoded words of each sentence before its first EOS; -1 where there is none.

    Args:
        network: decoder and dictionary.
        vectors_BS: fp32 on the host, finite.
        eos_id: word_id of the end mark.
        max_steps: a sentence without EOS has so many words.
    """
    words: list[list[int]] = [[] for _ in range(len(vectors_BS))]
    active = np.arange(len(vectors_BS))
    done = 0
    for stop in _stages(max_steps):
        size = max(1, MOST_WORDS // stop)
        parts = [active[start : start + size] for start in range(0, len(active), size)]
        going = [_stage(network, vectors_BS, part, (done, stop), eos_id, words) for part in parts]
        active, done = np.concatenate([*going, np.empty(0, np.int64)]).astype(np.int64), stop
    return words


def _stages(max_steps: int) -> Iterator[int]:
    stop = _FIRST_STAGE
    while stop < max_steps:
        yield stop
        stop *= 2
    yield max_steps


def _stage(
    network: Network,
    vectors_BS: Tensor,
    active_A: Ids,
    steps: tuple[int, int],
    eos_id: int,
    words: list[list[int]],
) -> Ids:
    """Append the words of some steps; return the sentences that have not ended."""
    start, stop = steps
    lengths_A = torch.full((len(active_A),), stop)
    predicted_NW, _ = network.decode(vectors_BS[torch.from_numpy(active_A)], lengths_A)
    # of equal length, sentences keep their order
    predicted_TAW = predicted_NW.unflatten(0, (stop, len(active_A)))
    rows = np.arange(len(active_A))
    for first in range(start, stop, _STEPS_AT_ONCE):
        if not len(rows):
            break
        block_TAW = predicted_TAW[first : min(first + _STEPS_AT_ONCE, stop)]
        block_TAW = block_TAW[:, torch.from_numpy(rows).to(block_TAW.device)]
        ids_N = network.words.nearest_word_ids(block_TAW.flatten(0, 1))
        going = []
        for row, ids in zip(rows, ids_N.view(len(block_TAW), -1).T.tolist(), strict=True):
            if eos_id in ids:
                words[active_A[row]] += ids[: ids.index(eos_id)]
            else:
                words[active_A[row]] += ids
                going.append(row)
        rows = np.array(going, dtype=np.int64)
    return active_A[rows]


def decode_given(
    network: Network, vectors_MS: Tensor, lengths_M: Ids, batch_size: int
) -> list[list[int]]:
    """Return as many words of each sentence as are given, EOS like any other; -1 for none."""
    words: list[list[int]] = [[] for _ in range(len(vectors_MS))]
    for places_B in batches_of_like_length(lengths_M, batch_size):
        lengths_B = torch.from_numpy(lengths_M[places_B])
        predicted_NW, packing = network.decode(vectors_MS[torch.from_numpy(places_B)], lengths_B)
        ids_N = network.words.nearest_word_ids(predicted_NW)
        ids_BT = packing.unpack(ids_N, packing.num_steps, fill=-1)
        for place, ids in zip(places_B, ids_BT.tolist(), strict=True):
            words[place] = ids[: lengths_M[place]]
    return words
