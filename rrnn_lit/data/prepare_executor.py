"""Which executor the options of `rrnn prepare` ask for."""

from rrnn_lit.data.executors import Executor, PlainLoop
from rrnn_lit.data.prepare_config import PrepareConfig
from rrnn_lit.data.shards import WorkFolder
from rrnn_lit.data.task_pool import LocalProcesses, usable_cores


def open_executor(config: PrepareConfig, work: WorkFolder) -> Executor:
    """Return a plain loop, processes of this machine or the workers of a cluster.

    Raises:
        ValueError: workers of the cluster do not see the folder or have other versions.
        ConnectionError: there is no scheduler, or it has no workers.
    """
    if config.scheduler is not None:
        from rrnn_lit.data.dask_workers import DaskWorkers

        return DaskWorkers(config.scheduler, work.folder)
    processes = config.processes or usable_cores()
    return PlainLoop() if processes == 1 else LocalProcesses(processes)
