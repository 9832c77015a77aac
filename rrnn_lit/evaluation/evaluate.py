"""Every word of a split beside what comes back for it, with and without compression.

Counts are those of `words/counting.py`, asked of each sentence on its own.

Shapes: B sentences, T words of the longest, N words of all sentences, S sentence_vector_size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.loading import EvaluationBatches
from rrnn_lit.data.token_store import TokenStore
from rrnn_lit.models.compressor import Compressor
from rrnn_lit.models.packing import Packing
from rrnn_lit.training.reconstruction import look_up
from rrnn_lit.words.counting import Decoded, count_decoded, loose_classes
from rrnn_lit.words.nearest import NearestWords

PLAIN, COMPRESSED = "plain", "compressed"
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evaluated:
    """A split's words and what they were decoded to, sentence after sentence.

    Attributes:
        sentence_numbers_B: rows of the split's store, in the order asked for.
        lengths_B: number of words, EOS included.
        target_N: word_ids.
        decoded_N: word_ids of the nearest words, -1 where there is none.
        matched_N: the match of `words/nearest.py`.
        cosine_N: of the predicted vector with the target's, float32; NaN if undefined.
        decoded_cosine_N: with the decoded word's.
        counts: every count of `count_decoded`, for each sentence.
    """

    sentence_numbers_B: Integers
    lengths_B: Integers
    target_N: Integers
    decoded_N: Integers
    matched_N: npt.NDArray[np.bool_]
    cosine_N: npt.NDArray[np.float32]
    decoded_cosine_N: npt.NDArray[np.float32]
    counts: dict[str, Integers]

    @cached_property
    def starts(self) -> Integers:
        """Place of each sentence's first word."""
        return np.cumsum(self.lengths_B) - self.lengths_B

    def words_of(self, row: int) -> slice:
        """Return the places of a sentence's words."""
        start = int(self.starts[row])
        return slice(start, start + int(self.lengths_B[row]))

    def by_sentence(self, holds_N: npt.NDArray[np.bool_]) -> Integers:
        """Return how many words of each sentence have a property."""
        sums_B = np.add.reduceat(holds_N.astype(np.int64), self.starts)
        return np.asarray(sums_B)


class Reconstructor:
    """A model on a device: word_ids to sentence vectors and back to words, in fp32.

    Args:
        parts: the model.
        device: where to compute; the parts' own modules are moved there.
    """

    def __init__(self, parts: CodecParts, device: torch.device) -> None:
        self.autoencoder = parts.autoencoder.to(device).eval()
        self.compressor = None if parts.compressor is None else parts.compressor.to(device).eval()
        self.words = NearestWords(torch.tensor(parts.word_vectors.vectors_VW)).to(device)
        self.device = device

    @torch.no_grad()
    def encode(self, word_ids_N: Tensor, packing: Packing) -> Tensor:
        """Return the sentence vectors (B, S) of packed words."""
        vectors_NW = look_up(self.words, word_ids_N)
        sentence_vector_BS: Tensor = self.autoencoder.encoder.encode(vectors_NW, packing)
        return sentence_vector_BS

    @torch.no_grad()
    def decode(self, sentence_vector_BS: Tensor, packing: Packing) -> Tensor:
        """Return the predicted vectors (N, W), packed."""
        predicted_NW: Tensor = self.autoencoder.decoder.decode(sentence_vector_BS, packing)
        return predicted_NW

    @torch.no_grad()
    def restore(self, sentence_vector_BS: Tensor) -> Tensor:
        """Return the sentence vectors after compression and back."""
        assert isinstance(self.compressor, Compressor)
        return self.compressor.decompress(self.compressor.compress(sentence_vector_BS))


def choose_sentences(store: TokenStore, max_words: int, at_most: int | None) -> Integers:
    """Return the rows of a split that are short enough, the first `at_most` of them.

    Raises:
        ValueError: there is none.
    """
    sentences = np.flatnonzero(store.lengths <= max_words)
    if not len(sentences):
        raise ValueError(
            f"--split: wanted {store.name} sentences of at most {max_words} words, "
            f"got none among {store.num_sentences}"
        )
    return sentences[:at_most]


def evaluate(
    parts: CodecParts,
    store: TokenStore,
    sentences: Integers,
    batch_size: int,
    device: torch.device,
    say: Callable[[int], None] = lambda done: None,
) -> dict[str, Evaluated]:
    """Return the evaluated sentences as `plain` and, with a compressor, as `compressed`.

    Args:
        parts: the model.
        store: the split; its word_ids are rows of the model's dictionary.
        sentences: rows of the store, in rising order.
        batch_size: sentences at a time, of similar length; speed and memory only.
        device: where to compute.
        say: is told the number of sentences done after each batch.
    """
    model = Reconstructor(parts, device)
    loose_V = loose_classes(parts.word_vectors.words).to(device)
    special = parts.word_vectors.eos_id, parts.word_vectors.unk_id
    pieces: dict[str, list[_Piece]] = {PLAIN: []}
    if parts.compressor is not None:
        pieces[COMPRESSED] = []
    batches, done = EvaluationBatches(store, sentences, batch_size, 0, 1), 0
    for number in range(len(batches)):
        batch = batches[number]
        packing = Packing.of(batch["lengths_B"], device)
        word_ids_BT = batch["word_ids_BT"].to(device)
        word_ids_N = packing.pack(word_ids_BT)
        vectors_BS = model.encode(word_ids_N, packing)
        for variant, found in pieces.items():
            used_BS = vectors_BS if variant == PLAIN else model.restore(vectors_BS)
            predicted_NW = model.decode(used_BS, packing)
            rows = _look_at(model.words, predicted_NW, word_ids_N)
            counts = _count(rows, packing, word_ids_BT, batch["lengths_B"], loose_V, special)
            found.append(_Piece(batch["sentence_numbers_B"], packing, rows, counts))
        done += packing.num_sentences
        say(done)
    return {variant: _join(found, store) for variant, found in pieces.items()}


@dataclass(frozen=True)
class _Rows:
    """What each packed word became."""

    decoded_N: Tensor
    matched_N: Tensor
    cosine_N: Tensor
    decoded_cosine_N: Tensor


@dataclass(frozen=True)
class _Piece:
    """A batch: numbers of its sentences, what became of their words, counts by sentence."""

    numbers_B: Tensor
    packing: Packing
    rows: _Rows
    counts: dict[str, Tensor]


def _look_at(words: NearestWords, predicted_NW: Tensor, word_ids_N: Tensor) -> _Rows:
    decoded_N = words.nearest_word_ids(predicted_NW)
    winner_N = torch.where(decoded_N < 0, word_ids_N, decoded_N)
    return _Rows(
        decoded_N,
        words.is_nearest(predicted_NW, word_ids_N),
        words.cosine(predicted_NW, word_ids_N).float(),
        words.cosine(predicted_NW, winner_N).float(),
    )


def _count(
    rows: _Rows,
    packing: Packing,
    word_ids_BT: Tensor,
    lengths_B: Tensor,
    loose_V: Tensor,
    special: tuple[int, int],
) -> dict[str, Tensor]:
    num_steps = word_ids_BT.shape[1]
    decoded_BT = packing.unpack(rows.decoded_N, num_steps, fill=-1)
    matched_BT = packing.unpack(rows.matched_N, num_steps, fill=False)

    def count_one(target_T: Tensor, found_T: Tensor, matched_T: Tensor, length: Tensor) -> Any:
        one = Decoded(target_T[None], found_T[None], matched_T[None], length[None])
        return count_decoded(one, loose_V, *special)

    counts: dict[str, Tensor] = torch.vmap(count_one)(
        word_ids_BT, decoded_BT, matched_BT, lengths_B.to(word_ids_BT.device)
    )
    return {name: count_B.cpu() for name, count_B in counts.items()}


def _join(pieces: list[_Piece], store: TokenStore) -> Evaluated:
    """Bring the batches, which are sorted by length, into the order of the split."""
    numbers = np.concatenate([piece.numbers_B.numpy() for piece in pieces])
    order_B = np.argsort(numbers, kind="stable")
    lengths = store.lengths[numbers]
    ends = np.cumsum(lengths)
    places = [np.arange(ends[row] - lengths[row], ends[row]) for row in order_B]
    order_N = np.concatenate(places)

    def words(name: str) -> npt.NDArray[np.generic]:
        flat = [_in_reading_order(piece.packing, getattr(piece.rows, name)) for piece in pieces]
        return np.asarray(np.concatenate(flat)[order_N])

    names = pieces[0].counts
    return Evaluated(
        sentence_numbers_B=numbers[order_B],
        lengths_B=lengths[order_B],
        target_N=np.concatenate([store.sentence(int(n)) for n in numbers[order_B]]),
        decoded_N=words("decoded_N").astype(np.int64),
        matched_N=words("matched_N").astype(np.bool_),
        cosine_N=words("cosine_N").astype(np.float32),
        decoded_cosine_N=words("decoded_cosine_N").astype(np.float32),
        counts={
            name: torch.cat([piece.counts[name] for piece in pieces]).numpy()[order_B]
            for name in names
        },
    )


def _in_reading_order(packing: Packing, rows_N: Tensor) -> npt.NDArray[np.generic]:
    """Return packed rows sentence after sentence, on the host."""
    order_N = packing.rows_N.argsort()
    return np.asarray(rows_N[order_N].cpu().numpy())
