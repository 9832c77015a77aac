"""The batches in which a split is predicted: shard after shard, so that a run can go on.

Shapes: B sentences of a batch.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from rrnn_lit.data.loading import Batch, collate
from rrnn_lit.data.sentence_vectors import shard_sizes
from rrnn_lit.data.token_store import TokenStore


class ShardBatches(Dataset[Batch]):
    """The sentences of some shards of a split; those of one shard by length, cut into batches.

    A batch depends on its shard alone, not on which others are asked for.

    Args:
        store: the split.
        sentences: rows of the store that take part, ascending.
        shard_sentences: sentences in a shard.
        shards: numbers of the shards to go through; None for all.
        batch_size: sentences in a batch.
    """

    def __init__(
        self,
        store: TokenStore,
        sentences: npt.NDArray[np.int64],
        shard_sentences: int,
        shards: Sequence[int] | None,
        batch_size: int,
    ) -> None:
        self._store = store
        self._sentences = sentences
        self._shard_sentences = shard_sentences
        self._batch_size = batch_size
        sizes = np.array(shard_sizes(len(sentences), shard_sentences))
        self._shards = np.arange(len(sizes)) if shards is None else np.array(shards, dtype=int)
        # batches before each shard, in the order of the shards asked for
        self._ends = np.cumsum(-(-sizes[self._shards] // batch_size))

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, number: int) -> Batch:
        place = int(np.searchsorted(self._ends, number, side="right"))
        before = int(self._ends[place - 1]) if place else 0
        start = int(self._shards[place]) * self._shard_sentences
        sentences = self._sentences[start : start + self._shard_sentences]
        by_length = sentences[np.argsort(self._store.lengths[sentences], kind="stable")]
        begin = (number - before) * self._batch_size
        return collate(self._store, by_length[begin : begin + self._batch_size], number)
