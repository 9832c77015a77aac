from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from rrnn_lit.bench.lengths import draw_lengths
from rrnn_lit.bench.pipeline import (
    DataOptions,
    Drawn,
    list_batches,
    run,
    step_rows,
    tensor_batches,
    walk_pass,
    write_text,
)
from rrnn_lit.bench.result import Peer, Row
from rrnn_lit.data.token_store import TokenStore

OPTIONS = DataOptions(
    sentences=300, largest=1_000, batch_size=4, length_buckets=50, batches=2, repeats=1
)
LENGTHS = np.array([2, 3, 1])


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return run(OPTIONS)


def batch(*numbers: int) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(int(LENGTHS[n]) for n in numbers)
    return torch.tensor(numbers), torch.zeros(len(numbers), longest)


def test_a_pass_by_hand() -> None:
    found = walk_pass([batch(0, 1), batch(2)], LENGTHS)
    assert found.complete
    assert found.padded_share == pytest.approx(1 / 7)


@pytest.mark.parametrize("batches", [[batch(0, 1)], [batch(0, 1), batch(2, 0)]])
def test_a_missing_or_repeated_sentence_is_found_out(
    batches: list[tuple[torch.Tensor, torch.Tensor]],
) -> None:
    assert not walk_pass(batches, LENGTHS).complete


def test_rows_of_peers_buckets_and_text_sizes(rows: list[Row]) -> None:
    assert [row.peer for row in rows] == [
        "ours",
        "torch DataLoader",
        "torch DataLoader tensors",
        *(f"ours buckets {b}" for b in (0, 10, 100)),
        *(2 * [f"ours {n} sentences" for n in ("10", "100", "1,000")]),
    ]
    assert {row.correct for row in rows} == {"each sentence once"}


def test_padding_shrinks_with_the_buckets(rows: list[Row]) -> None:
    shares = [float(row.note.split()[-1].rstrip("%")) for row in rows if "buckets" in row.peer]
    assert shares[0] > 20
    assert shares == sorted(shares, reverse=True)


def test_times_compare_with_ours_and_notes_with_the_smallest_text(rows: list[Row]) -> None:
    assert rows[1].times_ours == pytest.approx((rows[1].seconds or 0) / (rows[0].seconds or 1))
    change = (rows[6].seconds or 0) / (rows[8].seconds or 1) - 1
    assert f"{change:+.1%} against the smallest text" in rows[8].note
    assert {row.times_ours for row in rows[6:]} == {None}


def test_every_text_is_drawn_from_before_it_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    name = "rrnn_lit.bench.pipeline"
    monkeypatch.setattr(f"{name}._draw", lambda batches, count, number: drawn.append(count))
    monkeypatch.setattr(f"{name}.time_peers", lambda peers, repeats: dict.fromkeys(peers, 1.0))
    run(OPTIONS)
    assert len(drawn) == 9
    assert min(drawn) > OPTIONS.batches


def test_the_last_table_is_of_training_steps(rows: list[Row]) -> None:
    batches, steps = rows[6:9], rows[9:]
    assert [row.sizes.get("step_ms") for row in [*batches, *steps]] == 3 * [None] + 3 * [20]
    added = [(s.seconds or 0) - (b.seconds or 0) for s, b in zip(steps, batches, strict=True)]
    assert added == pytest.approx(3 * [0.02])


def test_a_slower_batch_is_weighed_against_its_step() -> None:
    peers = {name: Peer("right", "int64") for name in ("small", "large")}
    small, large = step_rows({}, {"small": 1e-3, "large": 4e-3}, peers)
    assert [small.times_ours, large.times_ours] == pytest.approx([1.0, 24 / 21])
    assert "a batch, which is 16.67% of it" in large.note
    assert "throughput -12.50% against the smallest text" in large.note


@pytest.mark.parametrize("make", [list_batches, tensor_batches])
def test_torchs_loader_gives_the_words_of_its_sentences(
    make: Callable[[TokenStore, DataOptions], Iterator[Drawn]], tmp_path: Path
) -> None:
    store = write_text(tmp_path, 100, OPTIONS)
    numbers_B, word_ids_BT = next(make(store, OPTIONS))
    lengths = [int(store.lengths[n]) for n in numbers_B]
    assert word_ids_BT.shape == (4, max(lengths))
    assert word_ids_BT.dtype == torch.int64
    for number, length, word_ids_T in zip(numbers_B, lengths, word_ids_BT, strict=True):
        assert word_ids_T[:length].tolist() == store.sentence(int(number)).tolist()
        assert not word_ids_T[length:].any()


def test_lengths_have_the_mean_of_news_text() -> None:
    lengths = draw_lengths(20_000, np.random.default_rng(0))
    assert lengths.mean() == pytest.approx(24.5, abs=1)
    assert lengths.min() >= 2
    assert lengths.max() == 60


def test_a_folder_lends_its_lengths(prepared_folder: Path, tmp_path: Path) -> None:
    options = DataOptions(folder=str(prepared_folder))
    lengths = write_text(tmp_path, 100, options).lengths
    assert set(lengths.tolist()) <= set(range(3, 13))
