import os
from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.bench.faults.saves import DieAtRename
from rrnn_lit.bench.faults.signals import arm
from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.metrics_log import read_metrics
from tests.training.conftest import Fit, WriteConfig
from tests.training.tiny import in_child, load


def test_the_line_of_a_step_is_written_before_its_checkpoint(
    write_config: WriteConfig, run_folder: Path
) -> None:
    def run() -> int:
        arm(DieAtRename(6, "after"))
        RRNNCLI(["fit", "--config", str(write_config())])
        return 0

    assert in_child(run) == -9
    assert load(run_folder / "checkpoints" / "last.ckpt")["global_step"] == 6
    records = read_metrics(run_folder / "metrics.jsonl")
    assert [r["step"] for r in records if "train/loss" in r] == [3, 6], "each line once"


def test_the_lines_of_a_checkpoint_are_on_disk_before_it_has_its_name(
    fit: Fit, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = run_folder / "metrics.jsonl"
    on_disk, unsafe, saved = [0], [], []
    fsync, replace = os.fsync, os.replace

    def note_fsync(file: int) -> None:
        fsync(file)
        if os.readlink(f"/proc/self/fd/{file}") == str(log):
            on_disk.append(log.stat().st_size)

    def note_replace(source: Any, target: Any, **named: Any) -> None:
        if Path(target).suffix == ".ckpt":
            saved.append(target)
            unsafe.extend([target] if on_disk[-1] != log.stat().st_size else [])
        replace(source, target, **named)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    fit()
    assert len(saved) > 5
    assert unsafe == []
