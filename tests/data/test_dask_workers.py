import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.data import cluster_place, dask_workers
from rrnn_lit.data.dask_workers import DaskWorkers
from rrnn_lit.data.executors import run_tasks

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a scheduler with two workers in this process."""
    from distributed import LocalCluster

    logger, make = logging.getLogger("distributed"), LocalCluster
    level, variables = logger.level, dict(os.environ)
    cluster: Any = make  # has no types
    with cluster(
        n_workers=2,
        threads_per_worker=2,
        processes=False,
        protocol="tcp",
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    ) as found:
        yield found.scheduler_address
    logger.setLevel(level)
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]


class Count:
    """Returns how often this object was called; a worker's threads take turns."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, task: int) -> tuple[int, int]:
        if task < 0:
            raise FileNotFoundError("no task")
        calls = self.calls + 1
        self.calls = calls
        return task, calls


def test_each_worker_gets_the_function_once_and_results_come_in_order(
    tmp_path: Path, address: str
) -> None:
    executor = DaskWorkers(address, tmp_path)
    assert executor.workers == 2
    found = list(run_tasks(Count(), range(30), executor))
    executor.close()
    assert [task for task, _ in found] == list(range(30))
    calls = [calls for _, calls in found]
    assert calls.count(1) <= 2
    assert max(calls) >= 15


def test_an_error_of_a_task_reaches_the_caller(tmp_path: Path, address: str) -> None:
    executor = DaskWorkers(address, tmp_path)
    with pytest.raises(FileNotFoundError, match="no task"):
        list(run_tasks(Count(), [1, -1, 2], executor))
    executor.close()


def test_tasks_that_a_broken_connection_cancelled_are_done_again(
    tmp_path: Path, address: str
) -> None:
    executor = DaskWorkers(address, tmp_path)
    results = run_tasks(Slow(), range(12), executor)
    found = [next(results)]
    executor._client.loop.add_callback(executor._client.scheduler_comm.comm.abort)
    found += results
    executor.close()
    assert found == list(range(12))


class Slow:
    """Takes its time."""

    def __call__(self, task: int) -> int:
        time.sleep(0.1)
        return task


def test_a_worker_with_another_version_is_refused_by_name(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {**cluster_place.code_versions(), "nltk": "1.0"}
    with monkeypatch.context() as patch:
        patch.setattr(cluster_place, "code_versions", lambda: ours)
        place = cluster_place.mark_place(tmp_path)
    monkeypatch.setattr(dask_workers, "mark_place", lambda _: place)
    with pytest.raises(ValueError, match=r"scheduler: worker tcp://.*: wanted nltk 1.0 as here"):
        DaskWorkers(address, tmp_path)


def test_no_scheduler_is_said_with_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "_PATIENCE_S", 0.5)
    with pytest.raises(
        ConnectionError, match=r"wanted a Dask scheduler at tcp://127.0.0.1:1, got"
    ):
        DaskWorkers("tcp://127.0.0.1:1", tmp_path)
