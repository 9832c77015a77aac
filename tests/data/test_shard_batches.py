from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.data.loading import Batch
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.shard_batches import ShardBatches
from rrnn_lit.data.token_store import TokenStore


@pytest.fixture
def store(prepared_folder: Path) -> TokenStore:
    return PreparedData(prepared_folder).store("train")


def all_of(batches: ShardBatches) -> list[Batch]:
    return [batches[number] for number in range(len(batches))]


@pytest.mark.parametrize(("shard_sentences", "batch_size"), [(50, 16), (140, 9), (7, 20), (1, 1)])
def test_every_sentence_once_and_batches_stay_inside_their_shard(
    store: TokenStore, shard_sentences: int, batch_size: int
) -> None:
    sentences = np.flatnonzero(store.lengths <= 10)
    found = all_of(ShardBatches(store, sentences, shard_sentences, None, batch_size))
    numbers = [batch["sentence_numbers_B"].numpy() for batch in found]
    assert sorted(np.concatenate(numbers).tolist()) == sentences.tolist()
    shards = [np.searchsorted(sentences, n) // shard_sentences for n in numbers]
    assert all(len(np.unique(shard)) == 1 for shard in shards)
    assert [int(s[0]) for s in shards] == sorted(int(s[0]) for s in shards)
    assert max(len(n) for n in numbers) <= batch_size
    assert [batch["batch_number"] for batch in found] == list(range(len(found)))


def test_sentences_of_a_shard_are_sorted_by_length(store: TokenStore) -> None:
    batches = ShardBatches(store, np.arange(store.num_sentences), 140, None, 16)
    lengths = np.concatenate([batch["lengths_B"].numpy() for batch in all_of(batches)])
    assert (np.diff(lengths) >= 0).all()


@pytest.mark.parametrize("asked", [[2], [0, 2], [1, 2]])
def test_a_batch_depends_on_its_shard_alone(store: TokenStore, asked: list[int]) -> None:
    sentences = np.arange(store.num_sentences)
    everything = all_of(ShardBatches(store, sentences, 60, None, 16))
    wanted = [b for b in everything if int(b["sentence_numbers_B"][0]) // 60 in asked]
    found = all_of(ShardBatches(store, sentences, 60, asked, 16))
    assert len(found) == len(wanted)
    for batch, same in zip(found, wanted, strict=True):
        assert batch["word_ids_BT"].equal(same["word_ids_BT"])
        assert batch["sentence_numbers_B"].equal(same["sentence_numbers_B"])
