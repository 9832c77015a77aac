"""No trial has two children at once: a worker that is cut off stops its own in time.

A worker that cannot reach the database cannot beat, and others take its trial over. Two children
would then write into one run folder.
"""

import os
import signal
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from rrnn_lit.search.heartbeat import Heartbeat


class Fence:
    """Kills a child once its trial may be another worker's, and sets `heartbeat.lost`.

    It has a thread of its own, which never asks the database: the worker's may wait for it. It
    kills at once, because a child that saves first would do so into the other's folder.

    Args:
        heartbeat: of the child's trial, at work.
        pid: of the child.
    """

    def __init__(self, heartbeat: Heartbeat, pid: int) -> None:
        self._heartbeat = heartbeat
        self._pid = pid
        self._handle: int | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"fence-{pid}", daemon=True)

    def __enter__(self) -> Self:
        if hasattr(os, "pidfd_open"):  # Linux; unlike a number it never becomes another process
            with suppress(OSError):  # it has ended by itself
                self._handle = os.pidfd_open(self._pid)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()
        if self._handle is not None:
            os.close(self._handle)

    def _watch(self) -> None:
        while (left_s := self._heartbeat.left_s()) > 0:
            if self._done.wait(min(left_s, threading.TIMEOUT_MAX)):
                return
        self._heartbeat.lost.set()
        with suppress(ProcessLookupError):
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            elif not hasattr(os, "pidfd_open"):
                os.kill(self._pid, signal.SIGKILL)
