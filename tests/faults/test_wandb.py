"""W&B fails in every way: the run goes on, and its own record has every line."""

import json
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
from lightning.pytorch.callbacks import Callback

from rrnn_lit.training import wandb_mirror
from tests.faults.lives import TinyRun
from tests.training.test_wandb_logging import read_records

NUM_STEPS, FAULT_STEP = 40, 25
STEP = "trainer/global_step"
Got = Callable[[str], None]
pytestmark = [pytest.mark.promise(21), pytest.mark.timeout(90)]


class Before(Callback):
    """Calls a function once, before the step behind `FAULT_STEP`: that one is logged."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == FAULT_STEP:
            self._act()


def children_of(pid: int) -> list[int]:
    return [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if (text := _read(stat)) and int(text.rpartition(")")[2].split()[1]) == pid
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has just ended, or is somebody else's
        return ""


def mirror() -> int:
    """Return the process that shows the run of this process."""
    [pid] = [p for p in children_of(os.getpid()) if "wandb_process" in _read(_proc(p, "cmdline"))]
    return pid


def core() -> int:
    """Return W&B's own process below it."""
    [pid] = [p for p in children_of(mirror()) if "wandb-core" in _read(_proc(p, "comm"))]
    return pid


def _proc(pid: int, name: str) -> Path:
    return Path(f"/proc/{pid}/{name}")


def is_full() -> None:
    """Let W&B's process write no further byte, as on a full disk of its own."""
    resource.prlimit(core(), resource.RLIMIT_FSIZE, (0, 0))


# what to do, and how the one line for people begins; a core that cannot write does not tell
FAULTS: dict[str, tuple[Callable[[], None], str]] = {
    "full folder": (is_full, ""),
    "core killed": (lambda: os.kill(core(), signal.SIGKILL), "W&B: ConnectionResetError: "),
    "core hangs": (lambda: os.kill(core(), signal.SIGSTOP), "W&B: no end within "),
    "mirror killed": (lambda: os.kill(mirror(), signal.SIGKILL), "W&B: its process was killed"),
    "mirror hangs": (lambda: os.kill(mirror(), signal.SIGSTOP), "W&B: no end within "),
}


@pytest.fixture
def run(
    prepared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TinyRun]:
    """A run that logs every step to W&B, offline."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr(wandb_mirror, "GIVE_UP_S", 1.0)  # of what hangs
    monkeypatch.setattr(wandb_mirror, "_EXIT_S", 1.0)
    options = {
        "trainer.max_steps": NUM_STEPS,
        "trainer.log_every_n_steps": 1,
        "trainer.val_check_interval": NUM_STEPS,
        "wandb.enabled": True,
    }
    yield TinyRun(tmp_path / "run", prepared_folder, options)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # a core whose death was not seen to; nobody else has this folder as its own
        pid = int(stat.parent.name)
        if f"HOME={tmp_path}\0" in _read(stat.parent / "environ") and pid != os.getpid():
            os.kill(pid, signal.SIGKILL)


def when_begun(folder: Path, act: Callable[[], None]) -> Callback:
    """Return a fault that waits until W&B has begun to write."""

    def wait_and_act() -> None:
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            if any(path.stat().st_size for path in folder.glob("wandb/*run-*/*.wandb")):
                break
            time.sleep(0.05)
        act()

    return Before(wait_and_act)


def steps_of(run: TinyRun) -> list[int]:
    lines = (run.folder / "metrics.jsonl").read_text().splitlines()
    return [r["step"] for r in map(json.loads, lines) if "train/loss" in r]


def shown_steps(folder: Path) -> set[int]:
    """Return the steps in W&B's own file."""
    records = [r["history"]["item"] for r in read_records(folder) if r["type"] == "history"]
    return {int(record[STEP]) for record in records}


def begin_and_check(
    run: TinyRun,
    capfd: pytest.CaptureFixture[str],
    got: Got,
    what: str,
    line: str,
    *fault: Callback,
) -> None:
    """Run with a fault: it ends well and soon, has every line, and tells people once."""
    capfd.readouterr()
    begin = time.monotonic()
    code = run.start(*fault)
    seconds = time.monotonic() - begin
    lost = NUM_STEPS - len(set(steps_of(run)))
    got(f"{what}: {lost} of {NUM_STEPS} lines lost, exit {code}")
    assert (lost, code) == (0, 0)
    assert seconds < 40
    said = [each for each in capfd.readouterr().err.splitlines() if each.startswith("W&B: ")]
    assert len(said) == bool(line)
    assert not line or said[0].startswith(line)


def test_a_killed_run_has_every_line_also_in_wandb(run: TinyRun, got: Got) -> None:
    fault = when_begun(run.folder, lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert run.start(fault) == -signal.SIGKILL
    lost = FAULT_STEP - len(set(steps_of(run)))
    [folder] = (run.folder / "wandb").glob("offline-run-*")
    shown: set[int] = set()
    give_up = time.monotonic() + 20
    while len(shown) < FAULT_STEP and time.monotonic() < give_up:
        time.sleep(0.5)  # the process that shows the run outlives it
        shown = shown_steps(folder)
    got(f"SIGKILL: {lost} of {FAULT_STEP} lines lost, {FAULT_STEP - len(shown)} in W&B")
    assert lost == 0
    assert shown == set(range(1, FAULT_STEP + 1))

    assert run.start() == 0
    newest = max((run.folder / "wandb").glob("offline-run-*"))
    assert shown_steps(newest) == set(range(1, NUM_STEPS + 1)), "a gap in the charts"


@pytest.mark.parametrize("what", FAULTS)
def test_a_run_outlives_wandb(
    run: TinyRun, what: str, capfd: pytest.CaptureFixture[str], got: Got
) -> None:
    act, line = FAULTS[what]
    begin_and_check(run, capfd, got, what, line, when_begun(run.folder, act))


def test_a_run_outlives_a_server_that_does_not_answer(
    run: TinyRun, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], got: Got
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 3)
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "3")
    monkeypatch.setattr(wandb_mirror, "GIVE_UP_S", 30.0)
    begin_and_check(run, capfd, got, "no network", "W&B: CommError: ")
    [folder] = (run.folder / "wandb").glob("offline-run-*")
    assert shown_steps(folder) == set(range(1, NUM_STEPS + 1)), "nothing to send later"


def test_a_run_outlives_a_file_where_wandb_writes(
    run: TinyRun, capfd: pytest.CaptureFixture[str], got: Got
) -> None:
    run.folder.mkdir()
    (run.folder / "wandb").write_text("a file")
    begin_and_check(run, capfd, got, "no folder", "W&B: NotADirectoryError: ")
