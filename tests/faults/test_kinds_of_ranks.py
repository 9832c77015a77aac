"""Row 5 further: shared out weights, the compressor, and predictions by several processes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_ranks import LAST, WriteConfig, ddp, write
from tests.training.compressing import write_compressor
from tests.training.ranks import run_command
from tests.training.tiny import Options, load

__all__ = ["write"]  # the fixture
Got = Callable[[str], None]
# shares of unequal size; dropout draws other masks in every process
UNEVEN: Options = {"model.dropout": 0.0, "data.batch_size": 9}


def furthest(first: Path, second: Path) -> float:
    """Return the largest difference of two weights of the same name."""
    a, b = (load(folder / LAST)["state_dict"] for folder in (first, second))
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


@pytest.mark.promise(5)
def test_a_run_goes_from_whole_to_shared_out_weights_and_back(
    write: WriteConfig, tmp_path: Path, got: Got
) -> None:
    log, run = tmp_path / "log", tmp_path / "run"
    straight = write("straight", UNEVEN)
    assert run_command(1, ["fit", "--config", str(straight)], log) == [0]
    config = write("run", {**UNEVEN, "trainer.max_steps": 3})
    assert run_command(1, ["fit", "--config", str(config)], log) == [0]
    on = ["fit", "--resume", str(run)]
    shared = [*on, "--trainer.strategy=fsdp2", "--trainer.max_steps=7"]
    assert run_command(2, shared, log) == [0, 0]
    whole = ["--trainer.strategy=auto", "--trainer.devices=1", "--trainer.max_steps=10"]
    assert run_command(1, [*on, *whole], log) == [0]
    moved = furthest(tmp_path / "straight", run)
    got(f"1, 2 with sharded weights, 1: weights differ by at most {moved:.0e}")
    assert moved < 1e-6
    groups = [layout(load(f / LAST)["optimizer_states"][0]) for f in (tmp_path / "straight", run)]
    assert groups[0] == groups[1]


def layout(state: dict[str, Any]) -> list[Any]:
    """Return which parameter is in which group, and the shapes of the moments."""
    shapes = [{n: tuple(t.shape) for n, t in s.items()} for s in state["state"].values()]
    return [[g["params"] for g in state["param_groups"]], list(state["state"]), shapes]


@pytest.mark.promise(5)
def test_two_processes_train_and_predict_a_compressor_as_one(
    write: WriteConfig, prepared_folder: Path, tmp_path: Path, got: Got
) -> None:
    log, behind = tmp_path / "log", tmp_path / "behind"
    assert run_command(1, ["fit", "--config", str(write("behind", {}))], log) == [0]
    digests, runs = [], [tmp_path / "one", tmp_path / "two"]
    for count, run in enumerate(runs, start=1):
        # rounding to 4 bits would turn a last bit's difference into a step
        options = {"data.batch_size": 9, "model.bits": 32, **ddp(count)}
        config = write_compressor(prepared_folder, behind, run, options)
        assert run_command(count, ["fit", "--config", str(config)], log) == [0] * count
    moved = furthest(*runs)
    for count in (1, 2):
        predict = ["predict", "--run", str(behind), "--data.shard_sentences=7"]
        strategy = "--trainer.strategy=ddp" if count > 1 else "--trainer.strategy=auto"
        assert run_command(count, [*predict, strategy], log) == [0] * count
        folder = behind / "predictions" / "tune"
        digests.append({p.name: digest(p) for p in sorted(folder.iterdir())})
        folder.rename(tmp_path / f"predictions{count}")
    different = sum(digests[0][name] != digests[1].get(name) for name in digests[0])
    got(
        f"compressor: weights differ by at most {moved:.0e}; "
        f"{different} of {len(digests[0])} predicted files differ"
    )
    assert moved < 1e-5
    assert different == 0
    assert len(digests[0]) == len(digests[1]) >= 5


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
