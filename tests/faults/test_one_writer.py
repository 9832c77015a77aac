"""Row 14: a run's folder has one writer, whatever is started, killed, stopped or woken."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import lightning.pytorch as pl
import pytest
from lightning.pytorch.callbacks import Callback

from rrnn_lit.bench.faults.signals import SignalAt
from rrnn_lit.training import owner_record
from rrnn_lit.training.owner import RunOwnedError, RunOwner
from rrnn_lit.training.owner_record import GRACE_S, OWNER_FILE, read_record
from tests.faults.lives import TinyRun, keys_differing

OWNED = 73
DOUBLE_STARTS = 20


class WaitAt(Callback):
    """Makes the file `there` in a step and waits until `go_on` is in the same folder."""

    def __init__(self, step: int, folder: Path) -> None:
        self.step, self.folder = step, folder

    def on_train_batch_start(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_step == self.step:
            (self.folder / "there").touch()
            wait_for((self.folder / "go_on").exists)


@contextmanager
def beside(work: Callable[[], int]) -> Iterator[int]:
    """Run `work` in a forked process meanwhile; yields its number. It ends with the block."""
    child = os.fork()
    if child == 0:
        code = 70
        os.setpgid(0, 0)  # with the processes that it starts
        try:
            code = work()
        finally:
            os._exit(code)
    try:
        yield child
    finally:
        if child in _children():
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _children() -> set[int]:
    """Return the numbers of the processes that this one has not waited for."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text(encoding="ascii")
    return {int(number) for number in listed.split()}


def wait_for(there: Callable[[], object]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + 50
    while not there():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def code_of(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return bytes and time of every file but the owner's, which are touched."""
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("owner.")]
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


@pytest.mark.promise(14)
@pytest.mark.timeout(120)
def test_a_second_start_is_refused_while_the_first_runs(
    prepared_folder: Path,
    tmp_path: Path,
    got: Callable[[str], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder)
    assert straight.start() == 0
    run = TinyRun(tmp_path / "run", prepared_folder)
    codes = []
    with beside(lambda: run.start(WaitAt(7, tmp_path))) as first:
        wait_for((tmp_path / "there").exists)
        record = read_record(run.folder)
        assert record is not None
        before = content(run.folder)
        for number in range(DOUBLE_STARTS):
            codes.append(run.resume() if number % 2 else run.start())
        assert content(run.folder) == before
        (tmp_path / "go_on").touch()
        assert code_of(first) == 0
    writers = len([code for code in codes if code != OWNED])
    got(f"{writers} double writers of {DOUBLE_STARTS}, exit codes {sorted(set(codes))}")
    assert codes == [OWNED] * DOUBLE_STARTS
    said = f"{run.folder} is written by process {record.pid} on {record.host} since {record.since}"
    assert capfd.readouterr().err.count(said) == DOUBLE_STARTS
    assert keys_differing(straight, run) == []
    assert not (run.folder / OWNER_FILE).exists()


@pytest.mark.promise(14)
@pytest.mark.parametrize("left_over", [False, True], ids=["new folder", "after a kill"])
def test_of_two_starts_at_one_moment_one_owns(
    tmp_path: Path, got: Callable[[str], None], left_over: bool
) -> None:
    both = 0
    for number in range(DOUBLE_STARTS):
        folder, decided = tmp_path / f"{number}", tmp_path / f"decided-{number}"
        decided.mkdir()
        start = partial(own, folder, decided)
        if left_over:
            with beside(start) as dead:
                wait_for(lambda folder=folder: (folder / OWNER_FILE).is_file())  # type: ignore[misc]
                os.kill(dead, signal.SIGKILL)
                os.waitpid(dead, 0)
            for file in decided.iterdir():
                file.unlink()
        with beside(start) as one, beside(start) as other:
            both += sorted([code_of(one), code_of(other)]) != [0, OWNED]
    got(f"{both} double writers of {DOUBLE_STARTS} at one moment")
    assert both == 0


def own(folder: Path, decided: Path) -> int:
    """Own a folder until two processes know whether they do; return the exit code."""
    try:
        with RunOwner(folder).taken():
            (decided / f"{os.getpid()}").touch()
            wait_for(lambda: len(list(decided.iterdir())) == 2)
    except RunOwnedError:
        (decided / f"{os.getpid()}").touch()
        return OWNED
    return 0


@pytest.mark.promise(14)
@pytest.mark.timeout(120)
def test_a_killed_owner_is_replaced_at_once(prepared_folder: Path, tmp_path: Path) -> None:
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder)
    assert straight.start() == 0
    run = TinyRun(tmp_path / "run", prepared_folder)
    assert run.start(SignalAt("on_train_batch_start", 7, "SIGKILL")) == -9
    assert (run.folder / OWNER_FILE).is_file()
    assert run.start() == 0
    assert keys_differing(straight, run) == []


@pytest.mark.promise(14)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("end", ["killed", "finished", "finished, and asked to stop"])
def test_a_stopped_owner_that_wakes_after_a_takeover_writes_nothing(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None], end: str
) -> None:
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder)
    assert straight.start() == 0
    elsewhere = tmp_path / "boot_id"
    elsewhere.write_text("another machine\n", encoding="ascii")
    run = TinyRun(tmp_path / "run", prepared_folder)
    pids = tmp_path / "pid"
    is_asked = end.endswith("asked to stop")
    hook, step = ("on_validation_batch_start", 4) if is_asked else ("on_train_batch_start", 5)

    def note_pid() -> None:
        pids.write_text(str(os.getpid()), encoding="ascii")

    def first() -> int:
        run.prepare_process = note_pid
        return run.start(SignalAt(hook, step, "SIGSTOP"))

    with beside(first) as child:
        wait_for(lambda: pids.exists() and _state(int(pids.read_text() or 0)) == "T")
        stopped = int(pids.read_text())
        past = time.time() - GRACE_S - 1
        os.utime(run.folder / OWNER_FILE, (past, past))  # as if it had been stopped for so long
        run.prepare_process = lambda: setattr(owner_record, "BOOT_ID", elsewhere)
        if end == "killed":
            assert run.start(SignalAt("on_train_batch_start", 8, "SIGKILL")) == -9
        else:
            assert run.start() == 0
        before = content(run.folder)
        if is_asked:
            os.kill(stopped, signal.SIGTERM)
        os.kill(stopped, signal.SIGCONT)
        code = code_of(child)
        changed = len(content(run.folder).items() ^ before.items())
    got(f"a woken owner ({end}) changes {changed} files, exit code {code}")
    assert (changed, code) == (0, OWNED)
    if end == "killed":
        assert run.start() == 0
    assert keys_differing(straight, run) == []


def _state(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[0]
