"""Several processes of one training, forked: the same as a launcher that sets their variables."""

import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from torch.distributed import distributed_c10d

from rrnn_lit import cli as command

# as after a kill of a launcher's child: not a code of rrnn
CRASHED = 70


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start_ranks(count: int, work: Callable[[], int], log: Path) -> list[int]:
    """Fork the processes of a training, each of which runs `work`; return their process ids.

    Args:
        count: how many.
        work: returns the exit code; may ask `rank()`.
        log: what the processes print goes to `<log>.<rank>`.
    """
    port, children = str(free_port()), []
    for rank in range(count):
        child = os.fork()
        if child == 0:
            _become(rank, count, port, log, work)
        children.append(child)
    return children


def _become(rank: int, count: int, port: str, log: Path, work: Callable[[], int]) -> None:
    code = CRASHED
    try:
        torch.set_num_threads(1)
        distributed_c10d._object_to_tensor = _refuse_object
        os.environ |= {
            "LOCAL_RANK": str(rank),
            "NODE_RANK": "0",
            "WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        out = os.open(f"{log}.{rank}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _refuse_object(value: object, *_: object) -> NoReturn:
    raise AssertionError(f"{value!r} would go to other processes as a pickle")


def rank() -> int:
    """Return the number of this process."""
    return int(os.environ["LOCAL_RANK"])


@dataclass(frozen=True)
class Ended:
    """How and when a process ended.

    Attributes:
        code: exit code, or minus the signal.
        at: seconds of the monotonic clock.
    """

    code: int
    at: float


def wait_for(children: list[int], seconds: float) -> list[Ended]:
    """Return how the processes ended; what is left after the time is killed."""
    end = time.monotonic() + seconds
    ended: dict[int, Ended] = {}
    while len(ended) < len(children):
        for child in (c for c in children if c not in ended):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                ended[child] = Ended(os.waitstatus_to_exitcode(status), time.monotonic())
            elif time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    return [ended[child] for child in children]


def run_ranks(count: int, work: Callable[[], int], log: Path, seconds: float = 50.0) -> list[int]:
    """Run `work` in so many processes and return their exit codes."""
    return [e.code for e in wait_for(start_ranks(count, work, log), seconds)]


def run_command(count: int, arguments: list[str], log: Path) -> list[int]:
    """Run a command line of `rrnn` in so many processes and return their exit codes."""
    devices = [] if count == 1 else [f"--trainer.devices={count}"]
    return run_ranks(count, lambda: command.main([*arguments, *devices]), log)
