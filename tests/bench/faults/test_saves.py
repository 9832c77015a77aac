import signal
import time
from pathlib import Path

import pytest
import torch

from rrnn_lit.bench.faults.saves import DieAfterSaveBegins, DieAtRename, die_after
from tests.bench.faults.toy import train
from tests.training.tiny import in_child


def saved_step(path: Path) -> int:
    return int(torch.load(path, weights_only=True)["global_step"])


@pytest.mark.parametrize(("side", "saved"), [("before", 1), ("after", 2)])
def test_the_process_dies_beside_the_renaming_of_its_step(
    tmp_path: Path, side: str, saved: int
) -> None:
    path = tmp_path / "last.ckpt"

    def run() -> int:
        train(DieAtRename(2, side), save=path)  # type: ignore[arg-type]
        return 0

    assert in_child(run) == -signal.SIGKILL
    assert saved_step(path) == saved
    assert (tmp_path / "last.part").exists() == (side == "before")


def test_other_files_and_steps_are_left_alone(tmp_path: Path) -> None:
    def run() -> int:
        train(DieAtRename(2, "before", "best.ckpt"), DieAtRename(9, "after"), save=path)
        return 0

    path = tmp_path / "last.ckpt"
    assert in_child(run) == 0
    assert saved_step(path) == 4


def test_the_process_dies_some_time_after_a_save_begins(tmp_path: Path) -> None:
    def run() -> int:
        train(DieAfterSaveBegins(2, 0.5), steps=10**6, save=path)
        return 0

    path = tmp_path / "last.ckpt"
    assert in_child(run) == -signal.SIGALRM
    assert saved_step(path) in (1, 2, 3)


def test_the_clock_ends_a_process_that_sleeps() -> None:
    def run() -> int:
        die_after(20)
        time.sleep(30)
        return 0

    begun = time.monotonic()
    assert in_child(run) == -signal.SIGALRM
    assert time.monotonic() - begun < 20


def test_a_time_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="milliseconds: wanted a number above 0, got 0"):
        DieAfterSaveBegins(2, 0)
