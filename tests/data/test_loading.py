from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
import torch

from rrnn_lit.data.batching import BatchOrder
from rrnn_lit.data.loading import (
    Batch,
    EvaluationBatches,
    TrainBatches,
    collate,
    make_loader,
)
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.token_store import TokenStore


@pytest.fixture(scope="module")
def store(prepared_folder: Path) -> TokenStore:
    return PreparedData(prepared_folder).store("train")


def train_batches(
    store: TokenStore,
    batch_size: int = 16,
    blank_every: int = 0,
    rank: int = 0,
    world_size: int = 1,
    length_buckets: int = 0,
) -> TrainBatches:
    sentences = np.flatnonzero(store.lengths <= 10)
    order = BatchOrder(store.lengths[sentences], batch_size, 3, length_buckets)
    is_content_V = np.arange(71) < 50
    blanks = (is_content_V, 70, blank_every, 3) if blank_every else None
    return TrainBatches(store, sentences, order, blanks, rank, world_size)


def rows_of(batch: Batch) -> list[tuple[int, ...]]:
    """Sentence number and words of each sentence, padding checked and left out."""
    rows = []
    for number, length, word_ids in zip(
        batch["sentence_numbers_B"].tolist(),
        batch["lengths_B"].tolist(),
        batch["word_ids_BT"].tolist(),
        strict=True,
    ):
        assert word_ids[length:] == [0] * (len(word_ids) - length)
        rows.append((number, *word_ids[:length]))
    return rows


def test_a_batch_holds_its_sentences_padded_to_the_longest(store: TokenStore) -> None:
    numbers = np.array([5, 0, 99])
    batch = collate(store, numbers, 12)
    assert rows_of(batch) == [(n, *store.sentence(n).tolist()) for n in numbers]
    assert batch["word_ids_BT"].shape[1] == store.lengths[numbers].max()
    assert batch["batch_number"] == 12
    assert batch["word_ids_BT"].dtype == batch["lengths_B"].dtype == torch.int64


def test_only_the_chosen_sentences_take_part(store: TokenStore) -> None:
    batches = train_batches(store)
    short = np.flatnonzero(store.lengths <= 10)
    num_batches = -(-len(short) // 16)
    numbers = [row[0] for k in range(num_batches) for row in rows_of(batches[k])]
    assert sorted(numbers) == short.tolist()
    assert len(short) < store.num_sentences


@pytest.mark.parametrize("length_buckets", [0, 3])
@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_the_batch_of_one(
    store: TokenStore, world_size: int, length_buckets: int
) -> None:
    whole = train_batches(store, blank_every=5, length_buckets=length_buckets)
    parts = [
        train_batches(
            store, blank_every=5, rank=r, world_size=world_size, length_buckets=length_buckets
        )
        for r in range(world_size)
    ]
    sizes_seen = set()
    for number in range(20):
        shares = [rows_of(part[number]) for part in parts]
        wanted = rows_of(whole[number])
        sizes_seen.add(len(wanted))
        # a smaller batch has a test of its own
        if len(wanted) >= world_size:
            assert sorted(sum(shares, [])) == sorted(wanted)
        sizes = [len(share) for share in shares]
        assert max(sizes) - min(sizes) <= 1
    assert len(sizes_seen) == 2


def test_a_batch_smaller_than_the_number_of_processes_leaves_none_idle(
    store: TokenStore,
) -> None:
    # an idle process would have no gradient to share, and the others would wait for it
    whole = rows_of(train_batches(store, batch_size=2)[0])
    shares = [rows_of(train_batches(store, 2, rank=r, world_size=5)[0]) for r in range(5)]
    assert [len(share) for share in shares] == [1] * 5
    assert {row for share in shares for row in share} == set(whole)


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
@pytest.mark.parametrize("batch_size", [2, 16])
def test_shares_of_the_loss_make_the_mean_over_the_sentences_of_all(
    store: TokenStore, batch_size: int, world_size: int
) -> None:
    ranks = [
        train_batches(store, batch_size, rank=r, world_size=world_size) for r in range(world_size)
    ]
    num_sentences = int((store.lengths <= 10).sum())
    for number in range(-(-num_sentences // batch_size)):
        shares = [batches[number] for batches in ranks]
        whole = rows_of(train_batches(store, batch_size)[number])
        # as if every sentence's loss were its number
        means = [s["sentence_numbers_B"].double().mean() * s["loss_share"] for s in shares]
        wanted = np.mean([row[0] for row in whole])
        assert float(sum(means)) / world_size == pytest.approx(wanted, rel=1e-12)
        assert {s["num_sentences"] for s in shares} == {len(whole)}


def test_blanks_follow_the_serial_number_and_leave_the_store_alone(store: TokenStore) -> None:
    batches = train_batches(store, blank_every=5)
    num_sentences = int((store.lengths <= 10).sum())
    num_batches = -(-num_sentences // 16)
    blanked = 0
    for number in range(2 * num_batches):
        for sentence_number, *word_ids in rows_of(batches[number]):
            kept = store.sentence(sentence_number).tolist()
            changed = [i for i, (a, b) in enumerate(zip(word_ids, kept, strict=True)) if a != b]
            assert [word_ids[i] for i in changed] == [70] * len(changed)
            assert all(kept[i] < 50 for i in changed)
            blanked += len(changed)
    assert blanked == 2 * num_sentences // 5


@pytest.mark.parametrize("batch_size", [1, 4, 7, 1000])
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_every_evaluation_sentence_is_counted_once(
    store: TokenStore, world_size: int, batch_size: int
) -> None:
    sentences = np.arange(3, 53)
    numbers: list[int] = []
    sizes, lengths = [], set()
    for rank in range(world_size):
        batches = EvaluationBatches(store, sentences, batch_size, rank, world_size)
        counted = [batches[k] for k in range(len(batches)) if batches[k]["loss_share"]]
        share = [row[0] for batch in counted for row in rows_of(batch)]
        lengths.add(len(batches))
        assert all(0 < len(batches[k]["lengths_B"]) <= batch_size for k in range(len(batches)))
        sizes.append(len(share))
        numbers += share
    assert sorted(numbers) == sentences.tolist()
    assert len(lengths) == 1  # sharded weights come together at every batch
    # a process without batches would skip the evaluation that the others wait in
    assert max(sizes) - min(sizes) <= 1


def test_evaluation_sentences_of_similar_length_share_a_batch(store: TokenStore) -> None:
    batches = EvaluationBatches(store, np.arange(100), 10, 0, 1)
    lengths = torch.cat([batches[k]["lengths_B"] for k in range(len(batches))]).tolist()
    assert lengths == sorted(lengths)


def test_fewer_evaluation_sentences_than_processes_is_an_error(store: TokenStore) -> None:
    with pytest.raises(ValueError, match="wanted a sentence for each of 4 processes, got 3"):
        EvaluationBatches(store, np.arange(3), 10, 3, 4)


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_loader_gives_the_batches_of_its_numbers(store: TokenStore, num_workers: int) -> None:
    batches = train_batches(store, blank_every=5, length_buckets=2)
    loader = make_loader(batches, 5, 12, num_workers, pin_memory=False)
    loaded = list(loader)
    assert [batch["batch_number"] for batch in loaded] == list(range(5, 12))
    assert [rows_of(batch) for batch in loaded] == [rows_of(batches[k]) for k in range(5, 12)]


def test_loader_leaves_the_random_numbers_of_training_alone(store: TokenStore) -> None:
    before = torch.get_rng_state()
    list(make_loader(train_batches(store), 0, 3, 0, pin_memory=False))
    assert torch.equal(torch.get_rng_state(), before)


def test_loader_is_as_long_as_the_epoch_wherever_it_starts(store: TokenStore) -> None:
    # Lightning compares this length with its own batch count, which goes on after a resume
    batches = train_batches(store)
    assert [len(make_loader(batches, first, 9, 0, False)) for first in (0, 5)] == [9, 9]


def test_training_batches_can_be_sent_to_a_new_process(store: TokenStore) -> None:
    batches = train_batches(store, blank_every=5)
    assert rows_of(batches[0])
    assert len(ForkingPickler.dumps(batches)) > 0
