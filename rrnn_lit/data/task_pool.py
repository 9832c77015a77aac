"""Runs tasks in processes of this machine; a dead process is replaced and its task repeated.

Each process is served by a thread of its own, which waits for one result at a time. So it is
known which task a dead process was at, and only that one is repeated.
"""

import multiprocessing
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from rrnn_lit.data.executors import AHEAD, RETRIES, in_order

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
_SPAWN = multiprocessing.get_context("spawn")  # fork would copy locked threads


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # systems that cannot bind a process to cores


class LocalProcesses:
    """Runs tasks in processes of this machine, started anew for each function.

    Args:
        workers: number of processes.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._crew: _Crew | None = None

    def run(
        self, function: Callable[[_Task], _Result], tasks: Iterable[_Task]
    ) -> Iterator[_Result]:
        """Yield `function(task)` for every task, in order.

        Raises:
            ChildProcessError: the process of one task died four times.
        """
        self._crew = _Crew(function, self.workers)
        try:
            yield from in_order(self._crew.submit, tasks, lambda: self.workers * AHEAD)
        finally:
            self.close()  # after an error: a shard in work is repeated by the next start

    def close(self) -> None:
        """End the processes."""
        if self._crew is not None:
            self._crew.end()
            self._crew = None


class _Crew:
    """The processes of one function."""

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        self._processes = [_WorkerProcess(function) for _ in range(workers)]
        self._idle: queue.SimpleQueue[_WorkerProcess] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(workers, initializer=_block_ctrl_c)

    def submit(self, task: Any) -> Future[Any]:
        return self._threads.submit(self._do, task)

    def _do(self, task: Any) -> Any:
        process = self._idle.get()
        try:
            for _ in range(1 + RETRIES):
                try:
                    good, result = process.call(task)
                except (EOFError, OSError):  # of the connection: those of the task are a result
                    process.clear()  # it is dead; the next call starts another
                    continue
                if good:
                    return result
                raise result
        finally:
            self._idle.put(process)
        raise ChildProcessError(
            f"a worker process died {1 + RETRIES} times at the same task (killed, or out of "
            "memory: try fewer --processes); finished work is kept, start again to continue"
        )

    def end(self) -> None:
        for process in self._processes:
            process.end()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            process.clear()


class _WorkerProcess:
    """A process that calls one function; started when it is needed."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._process: Any = None
        self._connection: Connection | None = None
        self._over = False
        self._lock = threading.Lock()  # one thread calls, another may end

    def call(self, task: Any) -> tuple[bool, Any]:
        """Return whether it went well, and the result or the error.

        Raises:
            EOFError: the process died.
            OSError: the same.
        """
        connection = self._started()
        connection.send(task)
        answer: tuple[bool, Any] = connection.recv()
        return answer

    def _started(self) -> Connection:
        with self._lock:
            if self._over:
                raise EOFError
            if self._connection is None:
                self._connection, self._process = _start(self._function)
            return self._connection

    def end(self) -> None:
        """Kill it for good; whoever waits for an answer learns that it is dead."""
        with self._lock:
            self._over = True
            if self._process is not None:
                self._process.kill()

    def clear(self) -> None:
        """Let go of a process that is dead or shall be; only when no call is waiting."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.join()
                self._process = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _start(function: Callable[[Any], Any]) -> tuple[Connection, Any]:
    """Return the connection to a new process, and the process."""
    ours, theirs = _SPAWN.Pipe()
    with theirs:  # closed here, or its death would not be noticed
        process = _SPAWN.Process(target=_work, args=(theirs, function), daemon=True)
        try:
            process.start()
        except BaseException:
            ours.close()
            raise
    return ours, process


def _block_ctrl_c() -> None:
    # processes inherit it: Ctrl-C reaches the whole group, and the parent acts for all
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _work(connection: Connection, function: Callable[[Any], Any]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        task = connection.recv()
        try:
            answer: tuple[bool, Any] = True, function(task)
        except Exception as error:
            error.add_note(f"in a worker process:\n{traceback.format_exc()}")
            answer = False, error
        del task
        try:
            connection.send(answer)
        except (OSError, BrokenPipeError):
            raise
        except Exception:  # a result or an error that cannot travel
            connection.send((False, RuntimeError(f"in a worker process: {answer[1]!r}")))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # an orphan would write beside the next start
