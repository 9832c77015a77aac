import shutil
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import Tensor

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.loading import ENDLESS, Batch, ResumableLoader
from rrnn_lit.data.manifest import DataError
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.synthetic import write_synthetic

OPTIONS: dict[str, Any] = {
    "batch_size": 16,
    "max_words": 12,
    "seed": 3,
    "max_passes": None,
    "length_buckets": 2,
    "blank_every": 10,
    "tune_sentences": None,
    "test_sentences": None,
    "holdout_sentences": None,
    "eval_batch_size": 6,
}


def make_data(folder: Path, **changes: Any) -> SentenceDataModule:
    return SentenceDataModule(str(folder), **{**OPTIONS, **changes})


def rows_of(loader: ResumableLoader, limit: int = 30) -> list[tuple[int, tuple[int, ...], str]]:
    """Batch number, sentence numbers and words of the first batches."""
    rows = []
    for batch, _ in zip(loader, range(limit), strict=False):
        numbers = tuple(batch["sentence_numbers_B"].tolist())
        rows.append((batch["batch_number"], numbers, str(batch["word_ids_BT"].tolist())))
    return rows


def sentence_numbers(loader: ResumableLoader) -> list[int]:
    return [number for _, numbers, _ in rows_of(loader) for number in numbers]


class Recorder(pl.LightningModule):
    """Learns nothing and notes which sentences it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[tuple[int, list[int]]] = []

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.seen.append((batch["batch_number"], batch["sentence_numbers_B"].tolist()))
        return self.weight.sum()

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        pass

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        pass

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return self.weight

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


def make_trainer(max_steps: int) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        max_steps=max_steps,
        val_check_interval=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def test_resumed_training_receives_the_batches_of_an_uninterrupted_one(
    prepared_folder: Path, tmp_path: Path
) -> None:
    straight = Recorder()
    make_trainer(8).fit(straight, datamodule=make_data(prepared_folder))
    first = Recorder()
    trainer = make_trainer(3)
    data = make_data(prepared_folder)
    trainer.fit(first, datamodule=data)
    assert data.position == 3
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    second = Recorder()
    data = make_data(prepared_folder)
    make_trainer(8).fit(second, datamodule=data, ckpt_path=tmp_path / "last.ckpt")
    assert data.position == 8
    assert [number for number, _ in straight.seen] == list(range(8))
    assert first.seen + second.seen == straight.seen


def test_loader_starts_at_the_stored_position(prepared_folder: Path) -> None:
    straight = rows_of(make_data(prepared_folder).train_dataloader())
    state = make_data(prepared_folder).state_dict()
    data = make_data(prepared_folder, eval_batch_size=3, tune_sentences=2, max_passes=9)
    data.load_state_dict({**state, "position": 5})
    assert rows_of(data.train_dataloader(), 25) == straight[5:]
    assert data.state_dict()["position"] == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 8),
        ("seed", 4),
        ("max_words", 11),
        ("length_buckets", 0),
        ("blank_every", 0),
    ],
)
def test_an_option_that_changes_the_order_is_refused_by_name(
    prepared_folder: Path, name: str, value: int
) -> None:
    state = make_data(prepared_folder).state_dict()
    data = make_data(prepared_folder, **{name: value})
    then = OPTIONS[name]
    with pytest.raises(ValueError, match=rf"data\.{name}: .* written with {then}, got {value}"):
        data.load_state_dict({**state, "position": 5})
    assert data.position == 0


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_an_evaluation_reads_a_checkpoint_of_another_order(
    prepared_folder: Path, tmp_path: Path, command: str
) -> None:
    trainer = make_trainer(2)
    trainer.fit(Recorder(), datamodule=make_data(prepared_folder))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    changes = {"batch_size": 5, "seed": 8, "length_buckets": 0, "max_words": 7}
    run = getattr(make_trainer(2), command)
    run(
        Recorder(),
        datamodule=make_data(prepared_folder, **changes),
        ckpt_path=tmp_path / "last.ckpt",
    )
    write_synthetic(tmp_path / "other", seed=1)
    with pytest.raises(ValueError, match=r"data\.folder: .*; these are other data"):
        run(Recorder(), datamodule=make_data(tmp_path / "other"), ckpt_path=tmp_path / "last.ckpt")


def test_other_data_are_refused_by_name(prepared_folder: Path, tmp_path: Path) -> None:
    state = make_data(prepared_folder).state_dict()
    write_synthetic(tmp_path / "other", seed=1)
    with pytest.raises(ValueError, match=r"data\.folder: the checkpoint was written with"):
        make_data(tmp_path / "other").load_state_dict(state)
    # the same data at another place are the same data
    shutil.copytree(prepared_folder, tmp_path / "copy")
    make_data(tmp_path / "copy").load_state_dict(state)


@pytest.mark.parametrize(("max_passes", "wanted"), [(1, 9), (3, 27), (None, ENDLESS)])
def test_available_batches(prepared_folder: Path, max_passes: int | None, wanted: int) -> None:
    # 140 training sentences in batches of 16
    data = make_data(prepared_folder, max_passes=max_passes)
    assert data.available_batches == wanted
    assert len(data.train_dataloader()) == wanted


def test_a_run_of_two_passes_sees_every_sentence_twice(prepared_folder: Path) -> None:
    loader = make_data(prepared_folder, max_passes=2).train_dataloader()
    assert sorted(sentence_numbers(loader)) == sorted(2 * list(range(140)))


def test_longer_sentences_are_left_out_of_all_splits(prepared_folder: Path) -> None:
    data = make_data(prepared_folder, max_words=7, max_passes=1)
    tune, test = data.val_dataloader()
    loaders = {
        "train": data.train_dataloader(),
        "tune": tune,
        "test": test,
        "holdout": data.test_dataloader(),
    }
    for split, loader in loaders.items():
        lengths = PreparedData(prepared_folder).store(split).lengths
        wanted = np.flatnonzero(lengths <= 7).tolist()
        assert sorted(sentence_numbers(loader)) == wanted
        assert 0 < len(wanted) < len(lengths)


def test_no_sentence_short_enough_is_an_error(prepared_folder: Path) -> None:
    data = make_data(prepared_folder, max_words=2)
    with pytest.raises(DataError, match=r"train sentences of at most 2 words \(data\.max_words\)"):
        data.train_dataloader()


def test_evaluation_reads_a_fixed_prefix(prepared_folder: Path) -> None:
    limits = {"tune_sentences": 7, "test_sentences": 1, "holdout_sentences": 500}
    data = make_data(prepared_folder, max_words=10, **limits)
    tune, test = data.val_dataloader()
    for split, loader, limit in (
        ("tune", tune, 7),
        ("test", test, 1),
        ("holdout", data.test_dataloader(), 500),
    ):
        short = np.flatnonzero(PreparedData(prepared_folder).store(split).lengths <= 10)
        assert sorted(sentence_numbers(loader)) == short[:limit].tolist()


@pytest.mark.parametrize("split", ["train", "tune", "test", "holdout"])
def test_prediction_reads_its_split_whole_and_unblanked(prepared_folder: Path, split: str) -> None:
    data = make_data(prepared_folder, predict_split=split, blank_every=1)
    store = PreparedData(prepared_folder).store(split)
    seen = []
    for batch in data.predict_dataloader():
        for number, word_ids in zip(
            batch["sentence_numbers_B"].tolist(), batch["word_ids_BT"], strict=True
        ):
            wanted = store.sentence(number).tolist()
            assert word_ids[: len(wanted)].tolist() == wanted
            seen.append(number)
    assert sorted(seen) == list(range(store.num_sentences))


@pytest.mark.parametrize("blank_every", [0, 10])
def test_blanks_are_in_training_only_and_can_be_disabled(
    prepared_folder: Path, blank_every: int
) -> None:
    data = make_data(prepared_folder, blank_every=blank_every, max_passes=1)
    blank_id = data.word_vectors.blank_id

    def num_blanks(loader: ResumableLoader) -> int:
        return sum(int((batch["word_ids_BT"] == blank_id).sum()) for batch in loader)

    assert num_blanks(data.train_dataloader()) == (14 if blank_every else 0)
    assert [num_blanks(loader) for loader in data.val_dataloader()] == [0, 0]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_number_of_workers_changes_nothing(prepared_folder: Path) -> None:
    alone, helped = (make_data(prepared_folder, num_workers=n, max_passes=2) for n in (0, 2))
    assert rows_of(helped.train_dataloader()) == rows_of(alone.train_dataloader())
    assert rows_of(helped.val_dataloader()[1]) == rows_of(alone.val_dataloader()[1])


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [
        ("batch_size", 0, 1),
        ("max_words", 1, 2),
        ("seed", -1, 0),
        ("max_passes", 0, 1),
        ("length_buckets", -1, 0),
        ("blank_every", -1, 0),
        ("tune_sentences", 0, 1),
        ("test_sentences", 0, 1),
        ("holdout_sentences", 0, 1),
        ("eval_batch_size", 0, 1),
        ("num_workers", -1, 0),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(
    prepared_folder: Path, name: str, value: int, least: int
) -> None:
    wanted = rf"data\.{name}: wanted a number of at least {least}, got {value}"
    with pytest.raises(ValueError, match=wanted):
        make_data(prepared_folder, **{name: value})


def test_seed_zero_is_a_seed(prepared_folder: Path) -> None:
    zero, one = (rows_of(make_data(prepared_folder, seed=s).train_dataloader()) for s in (0, 1))
    assert zero != one


def test_dictionary_of_the_folder(prepared_folder: Path) -> None:
    data = make_data(prepared_folder)
    assert (data.word_dim, data.word_vectors.vocab_size) == (16, 71)


def test_an_order_of_an_earlier_version_is_refused_in_training(prepared_folder: Path) -> None:
    data = make_data(prepared_folder)
    state = data.state_dict()
    del state["order_version"]
    with pytest.raises(ValueError, match="ckpt_path: wanted sentences in order"):
        data.load_state_dict(state)
