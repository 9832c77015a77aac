"""The processes of a run: whole weights in each (`ddp`), or a part of them (`fsdp2`).

Both names go where Lightning's own do, in `trainer.strategy`. Every process computes its share of
a batch (`data/loading.py`); gradients are averaged over processes.
"""

import inspect
import os
import time
from contextlib import suppress
from datetime import timedelta
from subprocess import TimeoutExpired
from typing import Any

import lightning.pytorch as pl
from lightning.fabric.plugins import ClusterEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.strategies import (
    DDPStrategy,
    SingleDeviceStrategy,
    StrategyRegistry,
)
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher
from torch.distributed.distributed_c10d import _set_pg_timeout
from torch.nn.parallel import DistributedDataParallel

from rrnn_lit.training.gathering import value_of
from rrnn_lit.training.launching import launching
from rrnn_lit.training.sharding import ShardedStrategy
from rrnn_lit.training.stop_signals import RANK_VARIABLES

FSDP2 = "fsdp2"
# how long a process waits for another before it raises; the others wait while the first one saves
WAIT = timedelta(minutes=10)
# the 115 GB of width 40,000 are written and read back in 20 minutes at 200 MB/s
SHARDED_WAIT = timedelta(minutes=30)
# seconds that processes get to end on their own
_GRACE = 5.0
_KNOWN = inspect.signature(DistributedDataParallel).parameters
# torch has renamed the option
_SENDS_BUFFERS = (
    "forward_sync_buffers" if "forward_sync_buffers" in _KNOWN else "broadcast_buffers"
)
_IN_MEMORY = ("ddp_spawn", "ddp_fork", "ddp_notebook")


class ReplicatedStrategy(DDPStrategy):
    """DDP without what this project's modules never need.

    Buffers are the dictionary, the same everywhere and gigabytes large; DDP would send it before
    every step. Gradients live in the buckets that are sent, not beside them.

    Args:
        timeout: after which a process that waits for another raises, once all have met.
        process_group_backend: `nccl` or `gloo`; null for the one of the device.
        ddp: further options of `DistributedDataParallel`.
    """

    def __init__(
        self,
        timeout: timedelta = WAIT,
        process_group_backend: str | None = None,
        **ddp: Any,
    ) -> None:
        own: dict[str, Any] = {"gradient_as_bucket_view": True}
        if not {_SENDS_BUFFERS, "broadcast_buffers"} & ddp.keys():
            own[_SENDS_BUFFERS] = False
        super().__init__(
            timeout=max(timeout, WAIT),
            process_group_backend=process_group_backend,
            **{**own, **ddp},
        )
        self._wait = timeout

    def _configure_launcher(self) -> None:
        super()._configure_launcher()
        self._launcher = launching(self._launcher)

    def setup_environment(self) -> None:
        """Meet the other processes, which may start late; from then on none is waited for long."""
        super().setup_environment()
        _set_pg_timeout(self._wait)

    def broadcast(self, obj: Any, src: int = 0) -> Any:
        """Return what one process has; Lightning's own way pickles it."""
        return value_of(src, obj)


def register_strategies() -> None:
    """Let `ddp`, and `auto` on several devices, mean ours, and `fsdp2` mean sharded weights."""
    StrategyRegistry.register("ddp", ReplicatedStrategy, override=True)
    StrategyRegistry.register(FSDP2, ShardedStrategy, override=True, timeout=SHARDED_WAIT)


def check_strategy_name(strategy: object) -> None:
    """Return unless it names one whose training happens in memory that nobody reads.

    Raises:
        ValueError: names the option.
    """
    if isinstance(strategy, str) and strategy.startswith(_IN_MEMORY):
        raise ValueError(
            f"trainer.strategy: wanted ddp, got {strategy}; its processes leave the figures of "
            "the run behind when they end"
        )


def check_strategy(trainer: pl.Trainer, task: str, command: str, seed: int | bool) -> None:
    """Return if the trainer's strategy can do what is asked of it.

    Args:
        trainer: as built.
        task: `autoencoder` or `compressor`.
        command: `fit`, `validate`, `test` or `predict`.
        seed: `seed_everything`.

    Raises:
        ValueError: names the option.
    """
    strategy = trainer.strategy
    name = type(strategy).__name__
    if not isinstance(strategy, DDPStrategy | SingleDeviceStrategy | ShardedStrategy):
        raise ValueError(f"trainer.strategy: wanted auto, ddp or {FSDP2}, got {name}")
    if not isinstance(strategy, ShardedStrategy):
        return
    wanted = f"trainer.strategy: wanted auto or ddp, got {FSDP2}"
    if task != "autoencoder":
        raise ValueError(f"{wanted}; a {task} is small enough for every device")
    if command == "predict":
        raise ValueError(f"{wanted}; processes write shards of vectors at their own pace")
    if seed is False:
        raise ValueError(
            f"seed_everything: wanted a seed with trainer.strategy {FSDP2}, whose processes draw "
            "the first weights each for itself, got false"
        )
    if str(trainer.precision) == "16-mixed":
        raise ValueError(
            f"trainer.precision: wanted bf16-mixed or 32-true with trainer.strategy {FSDP2}, "
            "got 16-mixed"
        )


def is_first_process() -> bool:
    """Return whether this is the first process, before there is a trainer to ask.

    Launchers number the processes they start in the environment.
    """
    return all(os.environ.get(name, "0") == "0" for name in RANK_VARIABLES)


def cluster_plugins() -> list[ClusterEnvironment]:
    """Return SLURM's environment, where Lightning would take it, without its requeueing.

    Lightning's own handler of SIGUSR1 would save a checkpoint of its own in the middle of a batch
    and put the job back into the queue behind the back of `configs/restart`.
    """
    if TorchElasticEnvironment.detect() or not SLURMEnvironment.detect():
        return []
    return [SLURMEnvironment(auto_requeue=False)]


def end_processes(trainer: pl.Trainer) -> None:
    """End the processes that this one has started, by force where they do not end on their own.

    One that hangs would otherwise be left over when this process fails.
    """
    launcher = trainer.strategy.launcher
    if not isinstance(launcher, _SubprocessScriptLauncher):
        return
    processes = launcher.procs.copy()
    # Lightning's watch over the same list kills this process as soon as one has ended badly, and
    # with it this one's own exit code
    launcher.procs.clear()
    end = time.monotonic() + _GRACE
    for process in processes:
        with suppress(TimeoutExpired):
            process.wait(max(0.0, end - time.monotonic()))
        process.kill()  # does nothing to one that has ended
        process.wait()
