"""The function of a stage on a Dask worker, which gets it once.

Only `dask_workers.py` loads this file, and late: few have the package `distributed`.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from rrnn_lit.data.cluster_place import Place


class FunctionPlugin(WorkerPlugin):
    """Holds a function, and calls it for one task at a time.

    Args:
        name: of the plugin.
        function: what it builds lazily is built once a worker.
        place: looked at before the first task.
    """

    def __init__(self, name: str, function: Callable[[Any], Any], place: Place) -> None:
        self.name = name
        self._function, self._place = function, place

    def setup(self, worker: Worker) -> None:
        """Get ready in a worker, also in one that joined or was started again later."""
        self._lock = threading.Lock()  # a worker may have several threads
        self._complaint = self._place.complaint()
        self._address = worker.address

    def call(self, task: Any) -> Any:
        """Return `function(task)`.

        Raises:
            ValueError: this worker has other versions or another folder.
        """
        if self._complaint is not None:
            raise ValueError(f"scheduler: worker {self._address}: {self._complaint}")
        with self._lock:
            return self._function(task)

    async def drain(self) -> None:
        """Return when no call is under way."""
        while self._lock.locked():
            await asyncio.sleep(0.02)


def call(name: str, task: Any) -> Any:
    """Return what the worker's plugin of that name makes of the task."""
    plugin = get_worker().plugins[name]
    assert isinstance(plugin, FunctionPlugin)
    return plugin.call(task)


async def drain(name: str, dask_worker: Worker) -> None:
    """Wait in a worker until the plugin's call has ended."""
    plugin = dask_worker.plugins.get(name)
    if isinstance(plugin, FunctionPlugin):
        await plugin.drain()
