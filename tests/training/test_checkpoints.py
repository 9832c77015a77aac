import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from rrnn_lit import cli as command
from rrnn_lit.training.checkpoint_file import read_checkpoint
from rrnn_lit.training.checkpoints import DurableCheckpointIO, LastCheckpoint
from rrnn_lit.training.finite import NotFiniteError
from rrnn_lit.training.metrics_log import read_metrics
from tests.training.conftest import Fit, WriteConfig
from tests.training.tiny import in_child, load

NAMES = ("best.ckpt", "last-1.ckpt", "last.ckpt")
RUN: dict[str, Any] = {"dictionary_digest": "a", "global_step": 3, "state_dict": {}}


class Canary:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def test_every_checkpoint_loads_without_running_code(straight_run: Path) -> None:
    assert sorted(p.name for p in (straight_run / "checkpoints").iterdir()) == list(NAMES)
    for name in NAMES:
        assert load(straight_run / "checkpoints" / name)["global_step"] > 0


def test_best_is_the_step_with_most_matched_words(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 20, "trainer.val_check_interval": 2, "model.learning_rate": 0.2})
    records = read_metrics(run_folder / "metrics.jsonl")
    counts = {r["step"]: r["test/matched_words"] for r in records if "test/matched_words" in r}
    best = max(counts, key=lambda step: (counts[step], -step))
    assert best != 20, "the last step is the best: this run cannot tell best from last"
    assert load(run_folder / "checkpoints" / "best.ckpt")["global_step"] == best
    assert load(run_folder / "checkpoints" / "last.ckpt")["global_step"] == 20


@pytest.mark.parametrize("switch", ["", "1"])
def test_foreign_pickle_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", switch)
    path, canary = tmp_path / "foreign.ckpt", tmp_path / "canary"
    torch.save({**RUN, "state_dict": Canary(canary)}, path)
    with pytest.raises(ValueError, match="ckpt_path: refused: .*foreign.ckpt: .*, got code"):
        DurableCheckpointIO().load_checkpoint(path)
    assert not canary.exists()
    torch.load(path, weights_only=False)  # the canary does sing where it is let
    assert canary.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "wanted a checkpoint file, got none"),
        (b"", "wanted a whole checkpoint, got an empty file"),
        (b"PK\3\4 cut", "wanted a whole checkpoint, got a torn or foreign file"),
    ],
    ids=["missing", "empty", "cut"],
)
def test_unreadable_file_is_refused_by_name(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "x.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        DurableCheckpointIO().load_checkpoint(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [{"state_dict": {}}, [1, 2]], ids=["other keys", "a list"])
def test_what_is_no_run_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match="ckpt_path: .*: wanted a checkpoint of a run"):
        DurableCheckpointIO().load_checkpoint(tmp_path / "x.ckpt")


def limit_file_size(num_bytes: int) -> None:
    """Let every larger file fail as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))


def test_full_disk_keeps_the_previous_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    writer = DurableCheckpointIO()
    writer.save_checkpoint({**RUN, "weight": torch.ones(10)}, path)

    def save_on_full_disk() -> int:
        limit_file_size(50_000)
        try:
            writer.save_checkpoint({**RUN, "weight": torch.zeros(100_000)}, path)
        except OSError as error:
            return 0 if str(path) in str(error) else 2
        return 1

    assert in_child(save_on_full_disk) == 0
    assert torch.equal(read_checkpoint(path)["weight"], torch.ones(10))
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_full_disk_in_training_is_one_line(
    write_config: WriteConfig, run_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def train() -> int:
        config = str(write_config())
        limit_file_size(20_000)
        return command.main(["fit", "--config", config])

    assert in_child(train) == command.EXIT_CANNOT_WRITE
    errors = [x for x in capfd.readouterr().err.splitlines() if x.startswith("rrnn fit:")]
    assert len(errors) == 1
    assert "last.ckpt: the checkpoint could not be written" in errors[0]
    assert list((run_folder / "checkpoints").iterdir()) == []
    assert not (run_folder / "summary.json").exists()


def test_interrupted_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(KeyboardInterrupt):
        DurableCheckpointIO().save_checkpoint(RUN, tmp_path / "last.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_distance_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="checkpoint.every_n_steps: wanted at least 1, got 0"):
        LastCheckpoint(tmp_path, 0)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_never_replace_a_checkpoint(
    tmp_path: Path, bad: float
) -> None:
    path = tmp_path / "last.ckpt"
    good = {**RUN, "state_dict": {"weight": torch.ones(3)}}
    DurableCheckpointIO().save_checkpoint(good, path)
    before = path.read_bytes()
    broken = {**RUN, "state_dict": {"weight": torch.tensor([1.0, bad, 1.0])}}
    with pytest.raises(NotFiniteError, match="the weight weight is not finite after 3 steps"):
        DurableCheckpointIO().save_checkpoint(broken, path)
    assert path.read_bytes() == before
