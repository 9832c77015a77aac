"""Reconstructed: a sentence beside what comes back out of its vector, word by word.

Shapes: B sentences of a batch, N words of all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rrnn_lit.codec.encoding import batches_of_like_length, padded
from rrnn_lit.codec.network import Network
from rrnn_lit.models.packing import Packing
from rrnn_lit.text.detokenize import detokenize
from rrnn_lit.words.vectors import WordVectors


@dataclass(frozen=True)
class Reconstructed:
    """A sentence and what its vector was decoded to; the lists have one entry for each word.

    Attributes:
        words: the sentence as the network reads it: UNK for unknown words, EOS at the end.
        decoded: the nearest word of each predicted vector; empty where there is none.
        matched: whether no other dictionary word is nearer than the right one (D-15).
        strict_matched: matched, neither EOS nor UNK, and not behind an EOS decoded earlier (D-32).
        cosines: cosine of each predicted vector with the right word; NaN where undefined.
        decoded_cosines: cosine with the decoded word.
        exact: every word is matched.
        strict_exact: also, no word was unknown and no EOS was decoded early.
        text: the decoded words to read.
    """

    words: list[str]
    decoded: list[str]
    matched: list[bool]
    strict_matched: list[bool]
    cosines: list[float]
    decoded_cosines: list[float]
    exact: bool
    strict_exact: bool
    text: str


def reconstruct_ids(
    network: Network,
    dictionary: WordVectors,
    sentences: Sequence[Sequence[int]],
    batch_size: int,
    there_and_back: Callable[[Tensor], Tensor] | None,
) -> list[Reconstructed]:
    """Return what comes back of each sentence, decoded at its own length.

    Args:
        network: encoder and decoder.
        dictionary: of the words.
        sentences: word_ids with EOS at the end.
        batch_size: most sentences computed at once.
        there_and_back: what becomes of the vectors in between; None for nothing.
    """
    found: dict[int, Reconstructed] = {}
    lengths_M = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    for places_B in batches_of_like_length(lengths_M, batch_size):
        batch = [sentences[place] for place in places_B]
        word_ids_BT, lengths_B = padded(batch)
        vectors_BS = network.encode(word_ids_BT, lengths_B)
        if there_and_back is not None:
            vectors_BS = there_and_back(vectors_BS)
        figures = _figures(network, *network.decode(vectors_BS, lengths_B), word_ids_BT)
        for row, place in enumerate(places_B.tolist()):
            columns = [part[row, : len(batch[row])].tolist() for part in figures]
            found[place] = _reconstructed(dictionary, list(batch[row]), *columns)
    return [found[place] for place in range(len(sentences))]


def _figures(
    network: Network, predicted_NW: Tensor, packing: Packing, word_ids_BT: Tensor
) -> tuple[Tensor, ...]:
    """Return decoded ids, matches, cosines with target and winner of every word, each (B, T)."""
    target_N = packing.pack(word_ids_BT.to(predicted_NW.device))
    decoded_N = network.words.nearest_word_ids(predicted_NW)
    parts = (
        decoded_N,
        network.words.is_nearest(predicted_NW, target_N),
        network.words.cosine(predicted_NW, target_N),
        network.words.cosine(predicted_NW, torch.where(decoded_N < 0, target_N, decoded_N)),
    )
    return tuple(packing.unpack(part, packing.num_steps).cpu() for part in parts)


def _reconstructed(
    dictionary: WordVectors,
    target: list[int],
    decoded: list[int],
    matched: list[bool],
    cosines: list[float],
    decoded_cosines: list[float],
) -> Reconstructed:
    eos_id, unk_id = dictionary.eos_id, dictionary.unk_id
    end = decoded.index(eos_id) if eos_id in decoded else len(decoded)
    counted = [word not in (eos_id, unk_id) for word in target]
    words = [dictionary.words[i] if i >= 0 else "" for i in decoded]
    shown = words[:-1] if decoded[-1] == eos_id else words
    return Reconstructed(
        words=dictionary.decode(target),
        decoded=words,
        matched=matched,
        strict_matched=[
            hit and counts and place <= end
            for place, (hit, counts) in enumerate(zip(matched, counted, strict=True))
        ],
        cosines=cosines,
        decoded_cosines=decoded_cosines,
        exact=all(matched),
        strict_exact=all(matched) and unk_id not in target and end >= len(target) - 1,
        text=detokenize([word or dictionary.words[unk_id] for word in shown]),
    )
