from itertools import pairwise
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rrnn_lit.data.batching import BatchOrder, blank_words

Array = npt.NDArray[np.int64]


def lengths_of(size: int) -> Array:
    return np.random.default_rng(0).integers(2, 61, size)


def one_pass(order: BatchOrder, pass_number: int = 0) -> list[tuple[Array, Array]]:
    first = pass_number * order.batches_per_pass
    return [order.batch(k) for k in range(first, first + order.batches_per_pass)]


def sentences_of(order: BatchOrder, pass_number: int = 0) -> list[list[int]]:
    return [sentences.tolist() for sentences, _ in one_pass(order, pass_number)]


@pytest.mark.parametrize("length_buckets", [0, 1, 2, 5, 1000])
@pytest.mark.parametrize("batch_size", [1, 7, 32, 500])
@pytest.mark.parametrize("size", [1, 6, 64, 65, 301])
def test_each_sentence_once_per_pass(size: int, batch_size: int, length_buckets: int) -> None:
    order = BatchOrder(lengths_of(size), batch_size, 3, length_buckets)
    assert order.batches_per_pass == -(-size // batch_size)
    for pass_number in (0, 1, 2):
        batches = one_pass(order, pass_number)
        sentences, serials = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        assert sorted(sentences.tolist()) == list(range(size))
        start = pass_number * size
        assert sorted(serials.tolist()) == list(range(start, start + size))
        sizes = sorted(len(s) for s, _ in batches)
        assert sizes[1:] == [batch_size] * (len(batches) - 1)


@pytest.mark.parametrize("length_buckets", [0, 4])
def test_batch_is_a_function_of_seed_and_number_in_any_order_of_access(
    length_buckets: int,
) -> None:
    def make() -> BatchOrder:
        return BatchOrder(lengths_of(90), 8, 3, length_buckets)

    order = make()
    numbers = np.random.default_rng(1).permutation(4 * order.batches_per_pass).tolist()
    jumping = {k: order.batch(k) for k in numbers}
    straight = make()
    for k in sorted(numbers):
        # alone: of an order that has computed nothing else
        for other in (straight.batch(k), make().batch(k)):
            assert np.array_equal(jumping[k][0], other[0])
            assert np.array_equal(jumping[k][1], other[1])


@pytest.mark.parametrize("length_buckets", [0, 4])
def test_passes_and_seeds_have_orders_of_their_own(length_buckets: int) -> None:
    orders = [
        sentences_of(BatchOrder(lengths_of(200), 8, seed, length_buckets), pass_number)
        for seed in (0, 3)
        for pass_number in (0, 1, 2)
    ]
    for i, first in enumerate(orders):
        for second in orders[i + 1 :]:
            shared = sum(set(a) == set(b) for a, b in zip(first, second, strict=True))
            assert shared == 0


def test_a_window_of_none_and_of_one_are_the_plain_order() -> None:
    none, one = (BatchOrder(lengths_of(100), 8, 3, buckets) for buckets in (0, 1))
    assert sentences_of(none) == sentences_of(one)
    # and lengths play no part in it
    assert sentences_of(BatchOrder(np.full(100, 5), 8, 3, 0)) == sentences_of(none)


def test_a_window_holds_the_sentences_of_its_plain_batches() -> None:
    plain = BatchOrder(lengths_of(200), 8, 3, 0)
    window = BatchOrder(lengths_of(200), 8, 3, 5)
    for start in range(0, 25, 5):
        a, b = (
            np.concatenate([order.batch(k)[0] for k in range(start, start + 5)])
            for order in (plain, window)
        )
        assert set(a.tolist()) == set(b.tolist())


def padding(lengths: Array, order: BatchOrder) -> float:
    """Longest sentence of a batch over the mean one, averaged over a pass."""
    ratios = [lengths[s].max() / lengths[s].mean() for s, _ in one_pass(order)]
    return float(np.mean(ratios))


def test_length_buckets_save_padding() -> None:
    lengths = lengths_of(3200)
    assert padding(lengths, BatchOrder(lengths, 32, 3, 50)) < 1.1
    assert padding(lengths, BatchOrder(lengths, 32, 3, 0)) > 1.5


def test_length_buckets_do_not_sort_training_by_length() -> None:
    lengths = lengths_of(3200)
    order = BatchOrder(lengths, 32, 3, 50)
    means = [float(lengths[s].mean()) for s, _ in one_pass(order)]
    rising = sum(a < b for a, b in pairwise(means))
    # of 99 neighbours half rise in a random order
    assert 30 < rising < 70


def test_an_order_can_be_sent_to_a_new_process() -> None:
    # what a loader's workers need where processes are not forked
    order = BatchOrder(lengths_of(50), 8, 3, 2)
    order.batch(0)
    assert len(ForkingPickler.dumps(order)) > 0


CONTENT_V = np.array([True, True, True, False, False, False])
BLANK_ID = 5


def blanked(serials: list[int], every: int, seed: int = 3, rows: Any = None) -> Array:
    # words 0 to 2 may be blanked, 3 may not, 4 ends a sentence; padding holds content words
    row = [0, 3, 1, 2, 4, 1, 1, 1]
    word_ids_BT = np.array([row] * len(serials) if rows is None else rows)
    lengths_B = np.full(len(serials), 5)
    return blank_words(word_ids_BT, lengths_B, np.array(serials), CONTENT_V, BLANK_ID, every, seed)


@pytest.mark.parametrize("every", [1, 2, 7])
def test_exactly_every_nth_sentence_loses_one_word(every: int) -> None:
    serials = list(range(100, 150))
    counts = (blanked(serials, every) == BLANK_ID).sum(axis=1).tolist()
    assert counts == [int((serial + 1) % every == 0) for serial in serials]


def test_blanks_are_content_words_inside_the_sentence() -> None:
    before, after = blanked(list(range(300)), 0), blanked(list(range(300)), 1)
    rows, columns = np.nonzero(before != after)
    assert rows.tolist() == list(range(300))
    # all three places, about equally often
    counts = np.bincount(columns, minlength=8)
    assert counts[[1, 4, 5, 6, 7]].tolist() == [0] * 5
    assert counts[[0, 2, 3]].min() > 70


def test_the_choice_is_the_same_in_every_repetition_and_batch() -> None:
    together = blanked(list(range(40)), 1)
    alone = np.concatenate([blanked([serial], 1) for serial in range(40)])
    assert np.array_equal(together, alone)
    assert not np.array_equal(together, blanked(list(range(40)), 1, seed=4))


def test_zero_disables_blanks() -> None:
    assert not (blanked(list(range(50)), 0) == BLANK_ID).any()


def test_a_sentence_without_content_words_stays_as_it_is() -> None:
    row = [3, 3, 3, 3, 4, 1, 1, 1]
    assert blanked([0], 1, rows=[row]).tolist() == [row]
