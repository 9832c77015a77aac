import os
import signal
from pathlib import Path

import pytest

from rrnn_lit.complaints import UnsafeError
from rrnn_lit.data import task_pool
from rrnn_lit.data.executors import PlainLoop, run_tasks
from rrnn_lit.data.task_pool import LocalProcesses, usable_cores


class Square:
    """Squares numbers; a negative one ends its process."""

    def __call__(self, number: int) -> tuple[int, int]:
        if number < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number, os.getpid()


class DieOnce:
    """Ends its process the first time that it sees an odd number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, number: int) -> int:
        mark = self._folder / str(number)
        if number % 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number


def test_results_come_in_task_order_from_other_processes() -> None:
    results = list(run_tasks(Square(), range(20), LocalProcesses(2)))
    assert [square for square, _ in results] == [number * number for number in range(20)]
    assert os.getpid() not in {process for _, process in results}


@pytest.mark.parametrize(
    ("processes", "tasks", "fewest"), [(1, range(5), 2), (4, range(1), 2), (4, range(9), 10)]
)
def test_a_plain_loop_and_few_tasks_start_no_process(
    processes: int, tasks: range, fewest: int
) -> None:
    executor = PlainLoop() if processes == 1 else LocalProcesses(processes)
    results = list(run_tasks(Square(), tasks, executor, fewest))
    assert results == [(number * number, os.getpid()) for number in tasks]


def test_the_task_of_a_killed_worker_is_done_by_another(tmp_path: Path) -> None:
    results = list(run_tasks(DieOnce(tmp_path), range(6), LocalProcesses(2)))
    assert results == list(range(6))
    assert len(list(tmp_path.iterdir())) == 3


def test_a_task_that_kills_its_worker_again_and_again_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ChildProcessError, match="died 4 times at the same .* fewer --processes"):
        list(run_tasks(Square(), [1, -1, 2, 3], LocalProcesses(2)))


def test_an_error_of_a_task_reaches_the_caller() -> None:
    with pytest.raises(FileNotFoundError, match="missing.txt"):
        list(run_tasks(Path.read_text, [Path("missing.txt")] * 3, LocalProcesses(2)))


class Odd:
    """Returns or raises what cannot go to another process."""

    def __call__(self, number: int) -> object:
        if number == 1:
            raise _local_error()
        return (lambda: 1) if number == 2 else number


def _local_error() -> Exception:
    class LocalError(Exception):
        pass

    return LocalError("of its own")


@pytest.mark.parametrize(("task", "text"), [(1, "of its own"), (2, "function")])
def test_what_cannot_travel_is_an_error_and_no_death(task: int, text: str) -> None:
    with pytest.raises(RuntimeError, match=f"in a worker process: .*{text}"):
        list(run_tasks(Odd(), [0, task, 0], LocalProcesses(2)))


def test_a_refusal_comes_back_as_it_was() -> None:
    with pytest.raises(UnsafeError) as caught:
        list(run_tasks(refuse, [1, 2, 3], LocalProcesses(2)))
    assert str(caught.value) == "refused: the rule"


def refuse(_: int) -> None:
    raise UnsafeError("the rule")


def test_a_process_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: object) -> None:
        raise MemoryError("no room for a process")

    monkeypatch.setattr(task_pool._SPAWN.Process, "start", start)
    with pytest.raises(MemoryError, match="no room for a process"):
        list(run_tasks(Square(), range(4), LocalProcesses(2)))


def test_closing_ends_the_processes_of_unread_results() -> None:
    executor = LocalProcesses(2)
    results = run_tasks(Square(), range(100), executor)
    _, process = next(results)
    executor.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_cores_without_a_system_that_binds_processes_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert usable_cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
