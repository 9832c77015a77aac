"""One writer per run folder: the first process of a run owns it from start to end.

The record is written and compared under an advisory lock that is held for moments only. A process
that was stopped, and whose folder was taken meanwhile by another machine's, finds that out before
it changes anything. Where a file system has no locks, the record alone decides.
"""

import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rrnn_lit.training.owner_record import (
    GRACE_S,
    OWNER_FILE,
    OwnerRecord,
    own_record,
    read_record,
    record_text,
)
from rrnn_lit.whole_files import write_text

LOCK_FILE = "owner.lock"
TOUCH_S = 10.0
LOCK_WAIT_S = 10.0
_POLL_S = 0.05


class RunOwnedError(Exception):
    """Another process writes into the folder.

    Args:
        folder: the run's folder.
        owner: who, or a word about it.
    """

    def __init__(self, folder: Path, owner: object) -> None:
        super().__init__(
            f"{folder} is written by {owner}; wait for its end, stop it, or take another "
            "run.folder"
        )


class LockHeldError(RunOwnedError):
    """Another process has held the folder's lock for longer than anything takes."""


class RunOwner:
    """The ownership of a run's folder, by this process or not.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._record: OwnerRecord | None = None
        self._ends = threading.Event()
        self._lock_wait_s = LOCK_WAIT_S

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Own the folder inside; it is made if it is missing.

        An owner of this machine whose process is gone is replaced at once. One of another machine
        is watched: it is alive if it touches its record, and gone after the grace time.

        Raises:
            RunOwnedError: another process owns it.
        """
        is_new = not self._folder.exists()
        self._take()
        thread = threading.Thread(target=self._touch, name="run owner", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ends.set()
            thread.join()
            self._release(is_new)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the folder inside, for moments; nobody can take it meanwhile.

        Free where it was never taken: the further processes of a run, and programs that build a
        run without starting it.

        Raises:
            RunOwnedError: somebody has taken it.
        """
        if self._record is None:
            yield
            return
        with self._kept():
            yield

    @contextmanager
    def _kept(self) -> Iterator[bool]:
        """Keep the folder inside; yields whether by the lock.

        Who holds the lock for longer than anything takes stands still, perhaps for good: the
        record alone decides then, and only the first time is waited for.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(_locked(self._folder, self._lock_wait_s))
                self._lock_wait_s = LOCK_WAIT_S
            except LockHeldError:
                self._lock_wait_s = 0.0
            self._confirm()
            yield self._lock_wait_s > 0

    def _confirm(self) -> None:
        found = read_record(self._folder)
        if found != self._record:
            raise RunOwnedError(self._folder, found or "nobody: its owner.json is gone")

    def _take(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        record, touched, began = own_record(), None, time.monotonic()
        while True:
            with _locked(self._folder, LOCK_WAIT_S) as now:
                found = read_record(self._folder)
                last = None if found is None else _touched(self._folder)
                if found is None or last is None:
                    self._write(record, is_first=found is None)
                    break
                # a clock that was set back: that time may be to come
                untouched_s = max(now - last, time.monotonic() - began)
                if _is_gone(found, untouched_s):
                    self._write(record, is_first=False)
                    break
                if found.is_here or (touched is not None and last != touched):
                    raise RunOwnedError(self._folder, found)
            if touched is None:
                self._say_waiting(found, GRACE_S - untouched_s)
            touched = last
            time.sleep(1.0)
        self._record = record
        self._confirm()  # without locks another one may have come in between

    def _say_waiting(self, found: OwnerRecord, seconds: float) -> None:
        print(
            f"rrnn: {self._folder} was written by {found}; waiting for up to {seconds:.0f} s to "
            "see whether that process still lives",
            file=sys.stderr,
            flush=True,
        )

    def _write(self, record: OwnerRecord, is_first: bool) -> None:
        path = self._folder / OWNER_FILE
        if not is_first:
            write_text(path, record_text(record))
            return
        try:
            _make(path, record_text(record))
        except FileExistsError as error:
            raise RunOwnedError(self._folder, "a process that came first") from error

    def _touch(self) -> None:
        """Show other machines that this process lives; a thread of its own."""
        path = self._folder / OWNER_FILE
        while not self._ends.wait(TOUCH_S):
            with suppress(OSError):
                if read_record(self._folder) != self._record:
                    return
                os.utime(path)

    def _release(self, is_new: bool) -> None:
        with suppress(OSError, RunOwnedError):
            with self._kept() as is_locked:
                (self._folder / OWNER_FILE).unlink()
                if is_locked:
                    (self._folder / LOCK_FILE).unlink()
            if is_new:
                self._folder.rmdir()  # not if something is in it
        self._record = None


def refuse_owned(folder: Path) -> None:
    """Raise RunOwnedError if a process of this machine owns the folder: before any work."""
    found = read_record(folder)
    if found is not None and found.is_here and found.runs:
        raise RunOwnedError(folder, found)


def _is_gone(found: OwnerRecord, untouched_s: float) -> bool:
    return not found.runs if found.is_here else untouched_s > GRACE_S


def _touched(folder: Path) -> float | None:
    """Return when the record was touched; None if it has just gone."""
    try:
        return (folder / OWNER_FILE).stat().st_mtime
    except FileNotFoundError:
        return None


def _make(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all.

    Raises:
        FileExistsError: it is there.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path, wait_s: float) -> Iterator[float]:
    """Hold the lock; yields the present time by the file system's clock.

    Raises:
        LockHeldError: it is held by a process for longer than anything takes.
    """
    file = _lock(folder, wait_s)
    try:
        os.utime(file)
        yield os.fstat(file).st_mtime
    finally:
        os.close(file)


def _lock(folder: Path, wait_s: float) -> int:
    end = time.monotonic() + wait_s
    while True:
        file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        # a lock on a file that its last holder has removed guards nothing
        if _is_locked(file) and os.fstat(file).st_nlink:
            return file
        os.close(file)
        if time.monotonic() > end:
            raise LockHeldError(folder, f"a process that holds {LOCK_FILE}")
        time.sleep(_POLL_S)


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    return True
