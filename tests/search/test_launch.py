import os
import threading
from pathlib import Path

import pytest

from rrnn_lit.search.launch import choose_gpus, choose_threads
from tests.search.toy_studies import Sweep, write_study


def test_no_worker_finds_the_environment_changed(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweep("run", write_study(tmp_path), "--trials", "1") == 0
    monkeypatch.setenv("PGPASSWORD", "of the database")
    hidden_by, unset = [], os.unsetenv

    def note(name: bytes) -> None:
        hidden_by.append(threading.current_thread())
        unset(name)

    monkeypatch.setattr(os, "unsetenv", note)
    assert sweep("extend toys --best 1 --steps 6") == 0
    assert set(hidden_by) == {threading.main_thread()}


@pytest.mark.parametrize(
    ("text", "seen", "gpus"),
    [
        ("none", "0,1", ()),
        ("0,1", None, ("0", "1")),
        ("auto", "2, 3", ("2", "3")),
        ("auto", "GPU-abc", ("GPU-abc",)),
        ("auto", "", ()),
        ("auto", "-1", ()),
    ],
)
def test_gpus_are_those_asked_for_or_seen(
    monkeypatch: pytest.MonkeyPatch, text: str, seen: str | None, gpus: tuple[str, ...]
) -> None:
    if seen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    assert choose_gpus(text) == gpus


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    assert [choose_threads(workers) for workers in (1, 2, 3, 16)] == [8, 4, 2, 1]
