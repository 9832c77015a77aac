"""Loaders whose index is the batch number: resuming at batch k starts them at k.

Shapes: B sentences of a process's share of a batch, T words of the longest of them.
"""

import math
from collections.abc import Iterator
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from rrnn_lit.data.batching import BatchOrder, blank_words
from rrnn_lit.data.token_store import TokenStore

ENDLESS = 10**9  # batches of the one epoch in which a run takes place


class Batch(TypedDict):
    """A batch of sentences; word vectors are looked up on the device.

    `word_ids_BT` int64, 0 beyond a sentence; `lengths_B` int64 with EOS; `sentence_numbers_B`
    int64 rows of the store; `batch_number` int; `num_sentences` of all processes. `loss_share` is
    the factor on the mean loss of these sentences with which the mean over processes becomes the
    mean over the sentences of all: 1 for one process, 0 where the sentences are another's and
    only keep this process busy.
    """

    word_ids_BT: Tensor
    lengths_B: Tensor
    sentence_numbers_B: Tensor
    batch_number: int
    num_sentences: int
    loss_share: float


def collate(store: TokenStore, sentences: npt.NDArray[np.int64], batch_number: int) -> Batch:
    """Return the batch of the given sentences of a store, for one process."""
    word_ids_BT, lengths_B = store.batch(sentences)
    return Batch(
        word_ids_BT=torch.from_numpy(word_ids_BT),
        lengths_B=torch.from_numpy(lengths_B),
        sentence_numbers_B=torch.from_numpy(sentences),
        batch_number=batch_number,
        num_sentences=len(sentences),
        loss_share=1.0,
    )


class TrainBatches(Dataset[Batch]):
    """Training batches by batch number.

    Args:
        store: the train split.
        sentences: rows of the store that take part.
        order: order over `sentences`.
        blanks: mask of content words, label, distance and seed of `blank_words`; None disables.
        rank: this process.
        world_size: number of processes; each gets every `world_size`-th sentence of the batch. A
            pass's last batch may hold fewer sentences than there are processes; some of them are
            then read twice and counted once, since a process without a gradient would stop all
            others.
    """

    def __init__(
        self,
        store: TokenStore,
        sentences: npt.NDArray[np.int64],
        order: BatchOrder,
        blanks: tuple[npt.NDArray[np.bool_], int, int, int] | None,
        rank: int,
        world_size: int,
    ) -> None:
        self._store = store
        self._sentences = sentences
        self._order = order
        self._blanks = blanks
        self._rank = rank
        self._world_size = world_size

    def __getitem__(self, batch_number: int) -> Batch:
        chosen, serials = self._order.batch(batch_number)
        num_sentences = len(chosen)
        share = np.arange(self._rank, num_sentences, self._world_size)
        loss_share = len(share) * self._world_size / num_sentences
        if not len(share):
            share = np.array([self._rank % num_sentences])
        chosen, serials = chosen[share], serials[share]
        batch = collate(self._store, self._sentences[chosen], batch_number)
        batch["num_sentences"], batch["loss_share"] = num_sentences, loss_share
        if self._blanks is not None:
            content_words_V, blank_id, blank_every, seed = self._blanks
            blank_words(
                batch["word_ids_BT"].numpy(),
                batch["lengths_B"].numpy(),
                serials,
                content_words_V,
                blank_id,
                blank_every,
                seed,
            )
        return batch


class EvaluationBatches(Dataset[Batch]):
    """A split in a fixed order, cut into batches, shared among processes; each counts once.

    The first sentences of an evaluation split are a random sample of it; inside the sample,
    sentences of similar length share a batch. All processes have equally many batches, because
    sharded weights come together at each; a process that is short of one repeats its last with a
    `loss_share` of 0.

    Raises:
        ValueError: there are fewer sentences than processes; one without batches would skip the
            evaluation that the others wait in.
    """

    def __init__(
        self,
        store: TokenStore,
        sentences: npt.NDArray[np.int64],
        batch_size: int,
        rank: int,
        world_size: int,
    ) -> None:
        if len(sentences) < world_size:
            raise ValueError(
                f"split {store.name}: wanted a sentence for each of {world_size} processes, "
                f"got {len(sentences)}"
            )
        by_length = sentences[np.argsort(store.lengths[sentences], kind="stable")][
            rank::world_size
        ]
        cuts = range(batch_size, len(by_length), batch_size)
        self._store = store
        self._batches = np.split(by_length, cuts)
        longest_share = math.ceil(len(sentences) / world_size)
        self._num_batches = math.ceil(longest_share / batch_size)

    def __len__(self) -> int:
        return self._num_batches

    def __getitem__(self, number: int) -> Batch:
        own = min(number, len(self._batches) - 1)
        batch = collate(self._store, self._batches[own], number)
        batch["loss_share"] = float(number < len(self._batches))
        return batch


class _BatchNumbers(Sampler[int]):
    """first, first + 1, ... up to, not including, `end`."""

    def __init__(self, first: int, end: int) -> None:
        self._numbers = range(first, end)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        # of the whole epoch, not of the rest: Lightning compares it with its own batch count
        return self._numbers.stop


class ResumableLoader(DataLoader[Batch]):
    """A loader that needs no state of its own.

    The position is kept by the DataModule; the empty state tells Lightning that resuming in the
    middle of the epoch is intended.
    """

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore nothing."""


def make_loader(
    batches: Dataset[Batch], first: int, end: int, num_workers: int, pin_memory: bool
) -> ResumableLoader:
    """Return a loader over batch numbers first .. end - 1."""
    return ResumableLoader(
        batches,
        batch_size=None,
        sampler=_BatchNumbers(first, end),
        num_workers=num_workers,
        pin_memory=pin_memory,
        # its own generator: a new iterator would draw from the global one and so change dropout
        generator=torch.Generator().manual_seed(0),
    )
