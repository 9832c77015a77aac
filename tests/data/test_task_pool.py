import os
import signal
from pathlib import Path

import pytest

from rrnn_lit.data.task_pool import run_tasks, usable_cores


class Square:
    """Squares numbers; a negative one ends its process."""

    def __call__(self, number: int) -> tuple[int, int]:
        if number < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number, os.getpid()


def test_results_come_in_task_order_from_other_processes() -> None:
    results = list(run_tasks(Square(), range(20), 2))
    assert [square for square, _ in results] == [number * number for number in range(20)]
    assert os.getpid() not in {process for _, process in results}


@pytest.mark.parametrize(("processes", "tasks"), [(1, range(5)), (4, range(1)), (4, range(0))])
def test_one_process_or_one_task_starts_none(processes: int, tasks: range) -> None:
    results = list(run_tasks(Square(), tasks, processes))
    assert results == [(number * number, os.getpid()) for number in tasks]


def test_a_killed_worker_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ChildProcessError, match="a worker process died .* fewer --processes"):
        list(run_tasks(Square(), [1, -1, 2, 3], 2))


def test_an_error_of_a_task_reaches_the_caller() -> None:
    with pytest.raises(FileNotFoundError, match="missing.txt"):
        list(run_tasks(Path.read_text, [Path("missing.txt")] * 3, 2))


def test_cores_without_a_system_that_binds_processes_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert usable_cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
