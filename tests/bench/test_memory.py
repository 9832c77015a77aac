"""`rrnn bench memory`: bytes by hand, verdicts, and that a probe trains what it says."""

import dataclasses
import io
from subprocess import CompletedProcess
from typing import Literal

import pytest
import torch
from rich.console import Console

from rrnn_lit.bench.memory import MemoryOptions, judge, run
from rrnn_lit.bench.memory_probe import UPDATES, train
from rrnn_lit.bench.result import print_rows
from rrnn_lit.training.memory_budget import MemorySizes

SMALL = MemoryOptions(
    hidden_size=10, word_dim=3, vocab_size=7, batch_size=2, max_words=5, probe_size=0
)
PEERS = ["ours, lean memory", "ours, lean memory, fp16 moments", "standard memory"]
STANDARD = MemorySizes(12, None, 5, 60, 24, "32-true", "standard", "none", on_gpu=False)
LEAN = dataclasses.replace(STANDARD, memory="lean")
HALF = dataclasses.replace(LEAN, round_moments="fp16")
CPU = torch.device("cpu")


def test_bytes_by_hand() -> None:
    rows = run(SMALL)
    assert [row.peer for row in rows] == PEERS
    assert {(row.case, row.correct) for row in rows} == {("memory", "fits 11 GB")}
    # 660 weights, the largest matrix 100, the largest part 300; 10 words of a batch
    shared = 4 * 660 + 8 * 2 * 10 * 10 + 32 * 10 * 3 + (2 * 3 + 48) * 7 + 4 * 10 * 7
    lean = shared + 2 * 4 * 660 + 2 * 300
    half = shared + 2 * 2 * 660 + 12 * 100
    standard = shared + 2 * 4 * 660 + 4 * 660 + 2 * 660
    assert [row.sizes["bytes"] for row in rows] == [lean, half, standard]


def test_the_papers_card_holds_lean_memory_alone() -> None:
    rows = run(MemoryOptions(probe_size=0))
    assert [row.correct for row in rows] == ["fits 11 GB", "fits 11 GB", "over 11 GB"]


def test_bytes_of_one_of_several_devices_by_hand() -> None:
    # 660 weights; 3 sentences on 2 devices: 2 of 5 words on the first
    rest = 8 * 2 * 10 * 10 + 32 * 10 * 3 + (2 * 3 + 48) * 7 + 4 * 10 * 7 + 2 * 660
    several = dataclasses.replace(SMALL, batch_size=3, devices=2)
    (whole,) = run(several)
    assert whole.sizes["bytes"] == rest + (4 + 8 + 4) * 660
    (shared,) = run(dataclasses.replace(several, strategy="fsdp2"))
    # encoder and decoder have 330 each
    assert shared.sizes["bytes"] == rest + (4 + 8 + 4) * 330 + 12 * 330
    assert [row.correct for row in (whole, shared)] == ["fits 11 GB"] * 2


@pytest.mark.parametrize(
    ("width", "devices", "strategy", "fits"),
    [
        (10_000, 4, "ddp", "fits 24 GB"),
        (30_000, 8, "ddp", "fits 141 GB"),
        (30_000, 8, "fsdp2", "fits 80 GB"),
    ],
)
def test_wider_models_fit_where_weights_are_shared_out(
    width: int, devices: int, strategy: Literal["ddp", "fsdp2"], fits: str
) -> None:
    (row,) = run(MemoryOptions(width, devices=devices, strategy=strategy))
    assert row.correct == fits


def test_a_row_has_bytes_and_no_time() -> None:
    row = run(SMALL)[0]
    assert row.seconds is row.times_ours is row.floor_share is None
    assert row.sizes["on_gpu"] == 1


def test_measured_rows_stand_apart_from_computed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    done = CompletedProcess([], 0, stdout="12340000\n")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: done)
    # the probe has the sizes that were asked for
    rows = run(MemoryOptions(64, 3, 7, 2, 24, probe_size=64, probe_vocab_size=7))
    assert [row.peer for row in rows] == 2 * PEERS
    assert [row.sizes["measured_updates"] for row in rows] == [0, 0, 0, *3 * [UPDATES]]
    assert [row.sizes["bytes"] for row in rows[3:]] == 3 * [12_340_000]
    assert all(row.correct.endswith("of computed, wrong") for row in rows[3:])
    text = io.StringIO()
    print_rows(rows, Console(file=text, width=100))
    titles = [line for line in text.getvalue().splitlines() if line.startswith("memory: hidden")]
    assert [title.split()[-1] for title in titles] == ["0", str(UPDATES)]
    assert text.getvalue().count("0.01 GB") == 3


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        (84, "0.84 of computed, wrong"),
        (85, "0.85 of computed"),
        (110, "1.10 of computed"),
        (111, "1.11 of computed, wrong"),
    ],
)
def test_a_run_must_take_about_what_was_computed(measured: int, text: str) -> None:
    assert judge(measured, 100) == text


def test_a_failed_probe_tells_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = CompletedProcess([], 1, stdout="", stderr="Traceback\nMemoryError\n")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: killed)
    with pytest.raises(OSError, match="memory probe failed: MemoryError"):
        run(dataclasses.replace(SMALL, probe_size=8))


@pytest.mark.parametrize(
    ("option", "value"), [("hidden_size", 0), ("max_words", 1), ("probe_size", -1)]
)
def test_an_option_out_of_range_is_named(option: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"--{option}: wanted a number of at least"):
        dataclasses.replace(SMALL, **{option: value})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def standard_losses() -> list[float]:
    return losses(STANDARD)


def losses(sizes: MemorySizes) -> list[float]:
    torch.manual_seed(0)
    return train(sizes, num_steps=4, device=CPU)


@pytest.mark.parametrize("sizes", [LEAN, HALF], ids=["lean", "lean, fp16 moments"])
def test_every_way_to_hold_the_memory_trains_the_same(
    sizes: MemorySizes, standard_losses: list[float]
) -> None:
    assert len(standard_losses) == UPDATES
    # fp16 moments round an update of 1e-4 by a thousandth
    assert losses(sizes) == pytest.approx(standard_losses, rel=1e-5)


def test_the_probe_looks_up_the_nearest_words_as_an_evaluation_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[torch.Size] = []
    name = "rrnn_lit.bench.memory_probe.NearestWords.nearest_word_ids"
    monkeypatch.setattr(name, lambda words, predicted_NW: asked.append(predicted_NW.shape))
    losses(STANDARD)
    assert asked == [(24, 5)]


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_the_probe_trains_in_16_bit(precision: str) -> None:
    found = losses(dataclasses.replace(LEAN, precision=precision))
    assert torch.tensor(found).isfinite().all()
