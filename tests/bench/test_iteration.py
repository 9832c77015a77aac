"""`rrnn bench step`: who reads what, who takes turns, and what counts as correct."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch

from rrnn_lit.bench import iteration
from rrnn_lit.bench.adam import judge
from rrnn_lit.bench.ceilings import Ceilings
from rrnn_lit.bench.gradient_check import Evaluation, describe
from rrnn_lit.bench.iteration import StepOptions, run
from rrnn_lit.bench.lengths import MAX_WORDS
from rrnn_lit.bench.result import Row
from rrnn_lit.bench.step_data import Reading, read_blocks, text_folder
from rrnn_lit.bench.step_ours import Turns, WaitingTime
from rrnn_lit.bench.step_peers import Block
from rrnn_lit.bench.training_run import load_weights, make_data, make_module, wrapped

TINY = StepOptions(
    hidden_size=8,
    batch_size=4,
    vocab_size=1_000,
    word_dim=8,
    precision="32-true",
    length_buckets=4,
    steps=2,
    repeats=2,
    warm_up=1,
)
NO_PEERS = dataclasses.replace(TINY, peers="ours", adam=False)
RATES = Ceilings({"fp32": 1e12, "bf16": 1e12, "int8": 1e12}, 1e12, 0)
SAME_NETWORK = {"ours", "naive port", "autograd loop"}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(iteration, "measure_ceilings", lambda device: RATES)
        return run(TINY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text")
    with text_folder(None, TINY.made_up_text) as made:
        for file in made.iterdir():
            (path / file.name).write_bytes(file.read_bytes())
    return path


def steps_of(rows: list[Row]) -> dict[str, Row]:
    return {row.peer: row for row in rows if "ADAM" not in row.peer}


def gradient_error(row: Row) -> float:
    return float(row.correct.split("gradient ")[1].split()[0])


def test_every_peer_is_timed_beside_ours(rows: list[Row]) -> None:
    steps = steps_of(rows)
    assert set(steps) == {"ours", *iteration.PEERS}
    seconds = {name: row.seconds for name, row in steps.items()}
    ours = seconds["ours"]
    assert ours is not None
    assert ours > 0
    assert all(s is not None and s / ours == steps[n].times_ours for n, s in seconds.items())


def test_networks_of_the_same_mathematics_agree_with_float64(rows: list[Row]) -> None:
    steps = steps_of(rows)
    assert all(gradient_error(steps[name]) < 1e-5 for name in SAME_NETWORK)
    assert not any("wrong" in row.correct for row in rows)
    assert {r.correct for n, r in steps.items() if n not in SAME_NETWORK} == {"other model"}


def test_lean_memory_is_timed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iteration, "measure_ceilings", lambda device: RATES)
    (row,) = run(dataclasses.replace(NO_PEERS, memory="lean"))
    assert row.peer == "ours"
    assert gradient_error(row) < 1e-5


def test_only_the_same_mathematics_has_a_floor(rows: list[Row]) -> None:
    assert {n for n, row in steps_of(rows).items() if row.floor_share} == SAME_NETWORK


def test_all_variants_of_adam_agree_with_float64(rows: list[Row]) -> None:
    variants = [row for row in rows if "ADAM" in row.peer]
    assert [row.peer.split("ADAM ")[1] for row in variants] == ["fused", "for-loop", "foreach"]
    assert all(float(row.correct.split()[0]) < 1e-5 for row in variants)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("hidden_size", 0),
        ("repeats", 0),
        ("steps", 3),
        ("warm_up", 5),
        ("precision", "bf16"),
        ("device", "tpu"),
    ],
)
def test_an_option_out_of_range_is_named(option: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"--{option}: wanted "):
        dataclasses.replace(TINY, **{option: value})  # type: ignore[arg-type]


def test_sorted_and_random_batches_hold_the_same_words(folder: Path) -> None:
    sorted_blocks, random_blocks = (
        read_blocks(make_data(folder, 4, MAX_WORDS, window, 0), 4, 2, 2) for window in (4, 0)
    )
    assert sum(sorted_blocks.block_words) == sum(random_blocks.block_words)
    assert sorted_blocks.num_steps == random_blocks.num_steps == 4
    assert sorted_blocks.num_columns < random_blocks.num_columns


def test_too_little_text_is_refused(folder: Path) -> None:
    data = make_data(folder, 4, MAX_WORDS, 4, 0)
    with pytest.raises(ValueError, match="wanted more than 24 batches of 4 .* got 12"):
        read_blocks(data, 4, 2, 10)


def test_weights_of_a_checkpoint_are_taken(tmp_path: Path) -> None:
    trained, module = (make_module(8, 4, 0.0, "standard", 0) for _ in range(2))
    checkpoint = {
        "state_dict": trained.state_dict(),
        "hyper_parameters": dict(trained.hparams),
        "dictionary_digest": "",
    }
    torch.save(checkpoint, tmp_path / "best.ckpt")
    load_weights(module, tmp_path / "best.ckpt")
    weights, wanted = module.state_dict(), trained.state_dict()
    assert all(torch.equal(weights[name], wanted[name]) for name in wanted)
    wider = make_module(8, 5, 0.0, "standard", 0)
    with pytest.raises(ValueError, match="--checkpoint: wanted a hidden_size of 5, got 4"):
        load_weights(wider, tmp_path / "best.ckpt")


@pytest.mark.parametrize(
    "content", [None, b"", b"no checkpoint", b"PK\x03\x04cut"], ids=["missing", "0", "text", "cut"]
)
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "best.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="^--checkpoint: .*best.ckpt"):
        load_weights(make_module(8, 4, 0.0, "standard", 0), path)


def test_a_folder_or_another_dictionary_is_no_checkpoint(tmp_path: Path) -> None:
    module = make_module(8, 4, 0.0, "standard", 0)
    with pytest.raises(ValueError, match="^--checkpoint: .*: wanted a checkpoint file"):
        load_weights(module, tmp_path)
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(
        ValueError, match="^--checkpoint: .*: wanted a checkpoint of a run of rrnn"
    ):
        load_weights(module, tmp_path / "other.pt")


def test_a_folder_that_is_not_prepared_is_refused_by_the_options_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="^--folder: "):
        run(dataclasses.replace(TINY, folder=str(tmp_path)))


def test_seconds_of_a_step_are_for_its_true_words() -> None:
    reading = Reading(block_words=[10, 20, 40], num_steps=7, num_columns=70)
    blocks = [Block(seconds, 0.0, 0.0) for seconds in (1.0, 4.0, 6.0)]
    # seconds a word 0.1, 0.2, 0.15; 10 words a step
    assert reading.seconds_per_step(blocks) == pytest.approx(1.5)


def test_peers_run_before_each_of_our_blocks() -> None:
    numbers: list[int] = []
    turns = Turns(steps=2, warm_up=1, repeats=3, waiting=WaitingTime(), others=numbers.append)
    assert turns.num_steps == 8
    blocks = []
    for step in range(turns.num_steps):
        turns.on_train_batch_start(pl.Trainer, pl.LightningModule(), None, step)  # type: ignore[arg-type]
        blocks.append((len(numbers), len(turns.blocks)))
    # batch 0 warms up; blocks begin at batches 1, 3 and 5, the last one ends when 7 begins
    assert blocks == [(0, 0), (1, 0), (1, 0), (2, 1), (2, 1), (3, 2), (3, 2), (3, 3)]
    assert numbers == [0, 1, 2]


def test_a_wrapped_call_returns_to_what_it_was() -> None:
    class Owner:
        def call(self, value: int) -> int:
            return value + 1

    owner, opened = Owner(), []

    def around() -> torch.autograd.grad_mode.no_grad:
        opened.append(True)
        return torch.no_grad()

    with wrapped(owner, "call", around):
        assert owner.call(1) == 2
    assert owner.call(2) == 3
    assert opened == [True]


def evaluation(change: Callable[[torch.Tensor], torch.Tensor]) -> Evaluation:
    gradients = {"a": torch.tensor([3.0, 4.0]), "b": change(torch.tensor([0.0, 2.0]))}
    return Evaluation(1.0, gradients)


def test_the_worst_gradient_is_reported() -> None:
    truth = evaluation(lambda g: g)
    assert describe(truth, truth, "fp32") == "loss 0e+00, gradient 0e+00 off"
    found = describe(evaluation(lambda g: g + 1), truth, "fp32")
    assert found == "loss 0e+00, gradient 7e-01 off, wrong"
    found = describe(evaluation(lambda g: g * torch.nan), truth, "bf16")
    assert found.endswith("gradient nan off, wrong")


@pytest.mark.parametrize(
    ("loss", "precision", "is_wrong"),
    [(1.01, "fp32", True), (1.01, "bf16", False), (1.1, "bf16", True)],
)
def test_the_format_decides_how_far_off_is_wrong(
    loss: float, precision: str, is_wrong: bool
) -> None:
    truth = evaluation(lambda g: g)
    assert ("wrong" in describe(truth._replace(loss=loss), truth, precision)) is is_wrong


def test_updates_of_adam_are_judged_by_their_change() -> None:
    start, truth = [torch.tensor([1.0, 2.0])], [torch.tensor([1.3, 2.4]).double()]
    assert judge([torch.tensor([1.3, 2.4])], truth, start).endswith("off")
    # off by 0.05 where the parameters moved by 0.5
    assert judge([torch.tensor([1.3, 2.45])], truth, start) == "1e-01 off, wrong"
