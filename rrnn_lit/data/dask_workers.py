"""Runs tasks on the workers of a Dask scheduler; only its scheduling is used, none of its data.

The function travels as a plugin, which every worker gets once, also one that joins or is started
again later. Dask itself gives a dead worker's tasks to others; where it gives up, the task is
submitted again. Every worker must see the work folder and run the same code.

`distributed` is imported inside functions: it takes a second, and few have a cluster. Whoever
reaches a scheduler or a worker can run code on it: keep them in a private network.
"""

import asyncio
import concurrent.futures
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from rrnn_lit.data.cluster_place import Place, mark_place
from rrnn_lit.data.executors import AHEAD, RETRIES, in_order

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
_PATIENCE_S = 30.0  # for the scheduler to answer, and for a first worker
_LOST_S = 60.0  # with no worker, or without the scheduler
_POLL_S = 1.0
_RECONNECT_S = 0.1


class DaskWorkers:
    """Runs tasks on a Dask cluster.

    Args:
        address: of the scheduler, as `tcp://host:8786`.
        folder: existing folder that the workers must see too.

    Raises:
        ConnectionError: there is no scheduler, or it has no workers.
        ValueError: a worker has other versions or another folder, or Dask is not installed.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self._address = address
        self._client = _connect(address)
        try:
            self._place = mark_place(folder)
            _check_workers(self._client, address, self._place)
        except BaseException:
            self.close()
            raise
        self._num_workers, self._counted = 1, 0.0
        self._with_workers = time.monotonic()

    @property
    def workers(self) -> int:
        """Number of workers a moment ago, at least 1."""
        self._look()
        return self._num_workers

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._counted > _POLL_S:
            # not scheduler_info, which by default knows a few of them only
            found = len(self._client.nthreads()) if self._is_connected() else 0
            self._counted = now
            self._num_workers = max(1, found)
            if found:
                self._with_workers = now

    def run(
        self, function: Callable[[_Task], _Result], tasks: Iterable[_Task]
    ) -> Iterator[_Result]:
        """Yield `function(task)` for every task, in order.

        Raises:
            ChildProcessError: a task's worker died again and again.
            ConnectionError: the scheduler is gone, or all workers are.
            ValueError: a worker that came later has other versions or another folder.
        """
        from rrnn_lit.data.dask_plugin import FunctionPlugin

        name = f"rrnn-{uuid.uuid4().hex}"
        plugin = FunctionPlugin(name, function, self._place)
        under_way: set[Any] = set()
        try:
            self._client.register_plugin(plugin)
            yield from in_order(
                lambda task: _Pending(self, plugin, task, under_way),
                tasks,
                lambda: self.workers * AHEAD,
            )
        except Exception as error:
            if not self._is_connected() and not isinstance(error, ConnectionError):
                raise self.lost() from error
            raise
        finally:
            self._forget(name, under_way)

    def submit(self, name: str, task: Any) -> Any:
        """Return the Dask future of a task of the plugin."""
        from rrnn_lit.data.dask_plugin import call

        return self._client.submit(call, name, task, key=f"{name}-{uuid.uuid4().hex}", pure=False)

    def _is_connected(self) -> bool:
        return bool(self._client.status == "running")

    def reconnect(self, plugin: Any) -> None:
        """Wait for the connection, and hand out a function that a new scheduler does not know.

        Raises:
            ConnectionError: the scheduler is gone.
        """
        while not self._is_connected():
            if self.is_lost():
                raise self.lost()
            time.sleep(_RECONNECT_S)
        if plugin.name not in self._client.run_on_scheduler(_plugin_names):
            self._client.register_plugin(plugin)

    def is_lost(self) -> bool:
        """Tell whether the client has given up; it tries for a while to connect again."""
        return self._client.status in ("closing", "closed")

    def is_deserted(self) -> bool:
        """Tell whether there has been no worker for long."""
        self._look()
        return time.monotonic() - self._with_workers > _LOST_S

    def lost(self) -> ConnectionError:
        """Return the error for both."""
        return ConnectionError(
            f"scheduler: {self._address} is gone or has lost its workers; finished work is kept, "
            "start again to continue"
        )

    def _forget(self, name: str, under_way: set[Any]) -> None:
        """Let the workers finish what they are at, and drop the function."""
        from rrnn_lit.data.dask_plugin import drain

        if not self._is_connected():
            return
        try:
            self._client.cancel(list(under_way))
            self._client.run(drain, name, on_error="ignore")
            self._client.unregister_worker_plugin(name)
        except (OSError, ValueError):
            return  # a worker or the scheduler went in this moment

    def close(self) -> None:
        """Leave the cluster."""
        if not self._is_connected():  # said already, in one line
            logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self._client.close(timeout=_POLL_S)


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError(
            "scheduler: wanted the package distributed, got none; run "
            "pip install 'rrnn_lit[cluster]'"
        ) from error
    try:
        client: Any = Client
        return client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # the last: of a protocol that needs more
        raise ConnectionError(
            f"scheduler: wanted a Dask scheduler at {address}, got {error}"
        ) from error


def _check_workers(client: Any, address: str, place: Place) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError as error:
        raise ConnectionError(
            f"scheduler: wanted at least one worker at {address}, got none in {_PATIENCE_S:.0f} s"
        ) from error
    for worker, complaint in client.run(place.complaint).items():
        if complaint is not None:
            raise ValueError(f"scheduler: worker {worker}: {complaint}")


def _plugin_names(dask_scheduler: Any) -> list[str]:
    return list(dask_scheduler.worker_plugins)


class _Pending:
    """A task under way; submitted again when its workers keep dying or the connection broke."""

    def __init__(self, owner: DaskWorkers, plugin: Any, task: Any, under_way: set[Any]) -> None:
        self._owner, self._plugin, self._task, self._under_way = owner, plugin, task, under_way
        self._submit()

    def _submit(self) -> None:
        self._future = self._owner.submit(self._plugin.name, self._task)
        self._under_way.add(self._future)

    def result(self) -> Any:
        """Wait for the result.

        Raises:
            ChildProcessError: the task's worker died again and again.
            ConnectionError: the scheduler is gone, or all workers are.
        """
        from distributed import KilledWorker

        for left in range(RETRIES, -1, -1):
            try:
                return self._wait()
            except KilledWorker as error:
                if not left:
                    raise ChildProcessError(
                        f"workers kept dying at the same task ({error}); finished work is "
                        "kept, start again to continue"
                    ) from error
            # a client that connects anew cancels what is under way, with a class of its own
            except (asyncio.CancelledError, concurrent.futures.CancelledError) as error:
                if self._owner.is_lost() or not left:
                    raise self._owner.lost() from error
                self._owner.reconnect(self._plugin)
            finally:
                self._under_way.discard(self._future)
            self._submit()
        raise AssertionError  # the last round returned or raised

    def _wait(self) -> Any:
        """Return the result; notice a scheduler that is gone, or workers that do not come back."""
        while True:
            try:
                return self._future.result(timeout=_POLL_S)
            except TimeoutError as error:
                if self._future.status == "error":
                    return self._future.result()  # raises what the task has
                if self._owner.is_lost() or self._owner.is_deserted():
                    raise self._owner.lost() from error
