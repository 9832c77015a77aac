"""Where tasks run: in a plain loop, in processes of this machine, or on a Dask cluster.

All three call one function on many tasks and give the results in task order, with a bounded
number of tasks under way. The function object travels to each worker once, so what it builds
lazily (a language model, a dictionary) is built once a worker. Tasks must be repeatable: a killed
run starts them again, and a worker's death repeats what it was at.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
FEW = 20  # shards of a cheap stage that are not worth the start of processes
AHEAD = 2  # tasks per worker that are handed out ahead: bounds the memory
RETRIES = 3  # times that a task is given out again after the death of its worker


class Executor(Protocol):
    """Runs tasks."""

    @property
    def workers(self) -> int:
        """About how many tasks are worked on at once."""

    def run(
        self, function: Callable[[_Task], _Result], tasks: Iterable[_Task]
    ) -> Iterator[_Result]:
        """Yield `function(task)` for every task, in order.

        Raises:
            ChildProcessError: a task's worker died again and again.
            ConnectionError: the cluster is gone.
        """

    def close(self) -> None:
        """Let go of what is held; no task is under way afterwards."""


class PlainLoop:
    """Calls the function in this process."""

    workers = 1

    def run(
        self, function: Callable[[_Task], _Result], tasks: Iterable[_Task]
    ) -> Iterator[_Result]:
        """Yield `function(task)` for every task, in order."""
        return map(function, tasks)

    def close(self) -> None:
        """Do nothing."""


def run_tasks(
    function: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    executor: Executor,
    fewest: int = 2,
) -> Iterator[_Result]:
    """Yield `function(task)` for every task, in order.

    Args:
        function: picklable unless the executor is a plain loop.
        tasks: taken one by one, a few ahead of the results.
        executor: where they run.
        fewest: with fewer tasks than this a plain loop does them.

    Raises:
        ChildProcessError: a task's worker died again and again.
        ConnectionError: the cluster is gone.
    """
    rest = iter(tasks)
    first = list(itertools.islice(rest, fewest))
    if len(first) < fewest:
        executor = PlainLoop()
    return executor.run(function, itertools.chain(first, rest))


class Result(Protocol):
    """What a submitted task will come to."""

    def result(self) -> Any:
        """Wait for it."""


def in_order(
    submit: Callable[[Any], Result], tasks: Iterable[Any], most: Callable[[], int]
) -> Iterator[Any]:
    """Submit the tasks and yield their results in order.

    Args:
        submit: begins a task.
        tasks: taken one by one.
        most: how many may wait for their turn; asked before each task.
    """
    waiting: deque[Result] = deque()
    for task in tasks:
        waiting.append(submit(task))
        while len(waiting) >= most():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
