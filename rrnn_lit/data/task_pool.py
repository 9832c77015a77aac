"""Runs one function over many tasks in several processes; results come in task order.

The function object travels to each process once, so what it builds lazily (a language model, a
dictionary) is built once per process. Tasks must be repeatable: a killed run starts them again.
"""

import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any, TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
FEW = 20  # shards of a cheap stage that are not worth the start of processes
_WAITING = 2  # tasks per process that are handed out ahead: bounds the memory

_function: Callable[[Any], Any] | None = None  # of this worker process


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # systems that cannot bind a process to cores


def run_tasks(
    function: Callable[[_Task], _Result], tasks: Iterable[_Task], processes: int
) -> Iterator[_Result]:
    """Yield `function(task)` for every task, in order.

    Args:
        function: picklable; called in this process when `processes` is 1.
        tasks: taken one by one, a few ahead of the results.
        processes: worker processes.

    Raises:
        ChildProcessError: a worker process died, for lack of memory for example.
    """
    rest = iter(tasks)
    first = list(itertools.islice(rest, 2))
    if processes == 1 or len(first) < 2:
        yield from map(function, itertools.chain(first, rest))
        return
    others = multiprocessing.active_children()
    executor = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),  # fork would copy locked threads
        initializer=_start,
        initargs=(function,),
    )
    try:
        yield from _in_order(executor, itertools.chain(first, rest), processes * _WAITING)
        executor.shutdown()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a worker process died (killed, or out of memory: try fewer --processes); finished "
            "work is kept, start again to continue"
        ) from error
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()).difference(others):
            process.terminate()  # the shard in work is repeated by the next start


def _in_order(
    executor: ProcessPoolExecutor, tasks: Iterable[Any], most_waiting: int
) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    for task in tasks:
        waiting.append(executor.submit(_call, task))
        if len(waiting) >= most_waiting:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _start(function: Callable[[Any], Any]) -> None:
    global _function
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent acts
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _function = function


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # an orphan would write beside the next start


def _call(task: Any) -> Any:
    assert _function is not None
    return _function(task)
