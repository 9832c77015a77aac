import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rrnn_lit.training import owner, owner_record
from rrnn_lit.training.owner import LOCK_FILE, RunOwnedError, RunOwner, refuse_owned
from rrnn_lit.training.owner_record import GRACE_S, OWNER_FILE, own_record, read_record
from tests.training.tiny import in_child


def note(folder: Path, untouched_s: float = 0.0, **changes: object) -> None:
    """Write the record of an owner like this process but for some changes."""
    record = {**vars(own_record()), **changes}
    (folder / OWNER_FILE).write_text(json.dumps(record), encoding="utf-8")
    then = time.time() - untouched_s
    os.utime(folder / OWNER_FILE, (then, then))


def test_a_folder_is_owned_inside_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with RunOwner(folder).taken():
        record = read_record(folder)
        assert record is not None
        assert (record.pid, record.is_here, record.runs) == (os.getpid(), True, True)
        with pytest.raises(RunOwnedError, match=f"is written by process {os.getpid()} on "):
            refuse_owned(folder)
        with pytest.raises(RunOwnedError), RunOwner(folder).taken():
            pass
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_run_stay(tmp_path: Path) -> None:
    with RunOwner(tmp_path / "run").taken():
        (tmp_path / "run" / "metrics.jsonl").touch()
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["metrics.jsonl"]


@pytest.mark.parametrize(
    "gone",
    [
        {"start_time": 1},  # the number is that of another process now
        {"pid": 2**22 + 1},
        {"machine": "another", "untouched_s": GRACE_S + 1},
    ],
    ids=["number used again", "no such process", "silent machine"],
)
def test_an_owner_that_is_gone_is_replaced(tmp_path: Path, gone: dict[str, object]) -> None:
    note(tmp_path, **gone)  # type: ignore[arg-type]
    refuse_owned(tmp_path)
    with RunOwner(tmp_path).taken():
        record = read_record(tmp_path)
        assert record is not None
        assert record.pid == os.getpid()


def test_a_process_that_only_waits_to_be_noticed_is_gone(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        with RunOwner(tmp_path).taken():
            os._exit(0)
    while (record := read_record(tmp_path)) is None or record.runs:
        time.sleep(0.01)
    refuse_owned(tmp_path)
    os.waitpid(child, 0)


def test_an_owner_elsewhere_that_touches_its_record_is_alive(tmp_path: Path) -> None:
    note(tmp_path, machine="another", untouched_s=GRACE_S - 20)

    def touch_soon() -> int:
        time.sleep(0.5)
        os.utime(tmp_path / OWNER_FILE)
        return 0

    child = os.fork()
    if child == 0:
        os._exit(touch_soon())
    with pytest.raises(RunOwnedError, match="is written by process"), RunOwner(tmp_path).taken():
        pass
    os.waitpid(child, 0)


def test_an_owner_elsewhere_is_waited_for_no_longer_than_it_may_be_silent(tmp_path: Path) -> None:
    note(tmp_path, machine="another", untouched_s=GRACE_S - 0.5)
    with RunOwner(tmp_path).taken():
        pass


def test_who_has_lost_the_folder_holds_it_no_more_and_leaves_it_alone(tmp_path: Path) -> None:
    lost = RunOwner(tmp_path)
    with lost.taken():
        note(tmp_path, pid=7)
        with pytest.raises(RunOwnedError, match="is written by process 7 on"), lost.held():
            pass
    assert "7" in (tmp_path / OWNER_FILE).read_text(encoding="utf-8")


@contextmanager
def lock_held(folder: Path) -> Iterator[None]:
    """Let another process hold the folder's lock and stand still."""
    child = os.fork()
    if child == 0:
        file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT)
        fcntl.flock(file, fcntl.LOCK_EX)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "LOCK_WAIT_S", 0.5)


@pytest.mark.usefixtures("short_wait")
def test_a_lock_that_another_one_never_gives_back_does_not_end_the_owner(tmp_path: Path) -> None:
    run = RunOwner(tmp_path)
    with run.taken(), lock_held(tmp_path):
        began = time.monotonic()
        for _ in range(20):
            with run.held():
                pass
        assert time.monotonic() - began < 5  # it has waited once
    assert not (tmp_path / OWNER_FILE).exists()


@pytest.mark.usefixtures("short_wait")
def test_a_lock_that_was_given_back_is_held_again(tmp_path: Path) -> None:
    run = RunOwner(tmp_path)
    with run.taken():
        with lock_held(tmp_path), run.held():
            pass
        with run.held(), open(tmp_path / LOCK_FILE) as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.usefixtures("short_wait")
def test_without_the_lock_who_has_lost_the_folder_holds_it_no_more(tmp_path: Path) -> None:
    lost = RunOwner(tmp_path)
    with lost.taken(), lock_held(tmp_path):
        note(tmp_path, pid=7)
        with pytest.raises(RunOwnedError, match="is written by process 7 on"), lost.held():
            pass


@pytest.mark.usefixtures("short_wait")
def test_a_folder_whose_lock_is_never_given_back_is_not_taken(tmp_path: Path) -> None:
    with (
        lock_held(tmp_path),
        pytest.raises(RunOwnedError, match="a process that holds owner.lock"),
        RunOwner(tmp_path).taken(),
    ):
        pass


def test_an_owner_elsewhere_that_was_touched_in_the_future_is_no_longer_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(owner, "GRACE_S", 1.2)
    note(tmp_path, machine="another", untouched_s=-3600.0)
    with RunOwner(tmp_path).taken():
        record = read_record(tmp_path)
        assert record is not None
        assert record.pid == os.getpid()
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"rrnn: {tmp_path} was written by process {os.getpid()} on ")
    assert line.endswith("; waiting for up to 1 s to see whether that process still lives")


def test_an_owner_shows_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "TOUCH_S", 0.02)
    with RunOwner(tmp_path).taken():
        os.utime(tmp_path / OWNER_FILE, (1, 1))
        end = time.monotonic() + 10
        while (tmp_path / OWNER_FILE).stat().st_mtime == 1:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_where_processes_cannot_be_looked_at_only_time_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(tmp_path)
    monkeypatch.setattr(owner_record, "BOOT_ID", tmp_path / "none")
    record = read_record(tmp_path)
    assert record is not None
    assert not record.is_here


def test_who_never_took_the_folder_is_not_held_up(tmp_path: Path) -> None:
    with RunOwner(tmp_path).taken():
        assert in_child(lambda: _hold(tmp_path)) == 0


def _hold(folder: Path) -> int:
    with RunOwner(folder).held():
        return 0


def test_an_owner_that_is_no_file_is_named_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / OWNER_FILE)
    with pytest.raises(ValueError, match=f"{OWNER_FILE}: wanted a file, got something else"):
        refuse_owned(tmp_path)


@pytest.mark.parametrize("content", [b"\xc2\xff", b"[" * 100_000, b"3", b'{"host": 1}'])
def test_an_owner_that_cannot_be_read_is_nobody_known(tmp_path: Path, content: bytes) -> None:
    (tmp_path / OWNER_FILE).write_bytes(content)
    found = read_record(tmp_path)
    assert found is not None
    assert not found.is_here
