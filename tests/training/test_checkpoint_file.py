import os
from pathlib import Path
from typing import Any

import pytest
import torch

from rrnn_lit.training.checkpoint_file import put_back, read_checkpoint, write_checkpoint


def content(step: int) -> dict[str, Any]:
    return {"dictionary_digest": "a", "global_step": step, "w": torch.ones(3)}


def steps(folder: Path) -> dict[str, int]:
    return {p.name: read_checkpoint(p)["global_step"] for p in folder.iterdir()}


@pytest.mark.parametrize("has_links", [True, False])
def test_the_file_before_keeps_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def no_link(*_: Any) -> None:
        raise PermissionError("no links here")

    if not has_links:
        monkeypatch.setattr(os, "link", no_link)
    for step in (1, 2, 3):
        write_checkpoint(content(step), tmp_path / "new", tmp_path / "old")
    assert steps(tmp_path) == {"new": 3, "old": 2}


def test_both_names_of_one_file_are_two_files_after_the_next_save(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    for step in (1, 2):
        write_checkpoint(content(step), new, old)
    new.write_bytes(b"damaged")
    put_back(old, new)
    (tmp_path / "new.damaged").unlink()
    assert steps(tmp_path) == {"new": 1, "old": 1}
    write_checkpoint(content(2), new, old)
    assert steps(tmp_path) == {"new": 2, "old": 1}


def test_a_file_that_reads_back_differently_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damage(file: int) -> None:
        flush(file)
        os.pwrite(file, b"x", 40)

    write_checkpoint(content(1), tmp_path / "new", tmp_path / "old")
    flush = os.fsync
    monkeypatch.setattr(os, "fsync", damage)
    with pytest.raises(OSError, match="new: the checkpoint could not be written: other bytes"):
        write_checkpoint(content(2), tmp_path / "new", tmp_path / "old")
    assert steps(tmp_path) == {"new": 1}


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lack_of_memory_stays_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def save(*_: Any) -> None:
        raise error

    write_checkpoint(content(1), tmp_path / "new", tmp_path / "old")
    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(type(error)) as caught:
        write_checkpoint(content(2), tmp_path / "new", tmp_path / "old")
    assert caught.value is error
    assert steps(tmp_path) == {"new": 1}
