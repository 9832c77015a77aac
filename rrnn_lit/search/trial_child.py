"""The child's side of a trial: what happens in the new process before and after its entry.

Imported by the fork server and by every child, so it imports next to nothing itself. A child that
trains on several devices is one of several processes: Lightning starts the others as
`python -m rrnn_lit.search.trial_child` with the child's arguments. They are the child's process
group, which it leads.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path

from rrnn_lit.parent_death import die_with_parent

# the parent sees this code when the fork server died and the child's own code is unknown
UNKNOWN_EXIT = 255
# a cluster sends them to all processes of a job; the fork server, which they are blocked for, has
# to outlive the children that save
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
_ENTRY_VARIABLE = "RRNN_TRIAL_ENTRY"  # for the processes that Lightning starts
_LEADER_GRACE_S = 30.0


@dataclass(frozen=True)
class ChildPlan:
    """What a child is to do.

    Attributes:
        entry: `module:function`; the function takes a list of arguments and returns an exit code.
        arguments: its arguments.
        environment: the whole environment of the child.
        threads: threads of torch; 0 leaves the number alone.
        output: file to which stdout is appended.
        errors: file to which stderr is appended; may be the same.
    """

    entry: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    threads: int
    output: Path
    errors: Path


def run(plan: ChildPlan) -> None:
    """Run the entry in this process and leave with its exit code."""
    os.setsid()  # Ctrl-C in the terminal is for the host, which decides about its children
    # until the entry listens to it: the host has it as well and asks with SIGTERM
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    die_with_parent()  # the fork server, which alone can tell how this process ends
    threading.Thread(target=_die_with_host, name="host watch", daemon=True).start()
    try:
        _redirect(plan.output, plan.errors)
    except FileNotFoundError:  # the host has removed the folder: it wants no answer any more
        sys.exit(1)
    # multiprocessing hands over the host's: a database URL may stand there
    sys.argv = ["rrnn", *plan.arguments]
    # Lightning starts further processes of a run as `-m` this module
    sys.modules["__main__"].__spec__ = __spec__
    os.environ.clear()
    os.environ.update(plan.environment, **{_ENTRY_VARIABLE: plan.entry})
    _limit_threads(plan.threads)
    code = _load(plan.entry)(list(plan.arguments))
    sys.exit(1 if code == UNKNOWN_EXIT else code)


def run_further(arguments: list[str]) -> int:
    """Run the entry in a further process of a child and return its exit code.

    After a failure it waits for the child's own end, of which it dies: Lightning kills a child one
    of whose further processes has ended so, and the child's exit code says more than that.
    """
    die_with_parent(os.getsid(0))  # the child leads the session
    code = _load(os.environ[_ENTRY_VARIABLE])(arguments)
    if code != 0:
        time.sleep(_LEADER_GRACE_S)
    return code


def _load(entry: str) -> Callable[[list[str]], int]:
    module, _, name = entry.partition(":")
    function: Callable[[list[str]], int] = getattr(import_module(module), name)
    return function


def _die_with_host() -> None:
    """End this process group once the host is gone: nobody would read what it finds.

    The host holds the other end of a pipe, which the system closes however the host dies.
    """
    host = parent_process()
    if host is not None:
        wait([host.sentinel])
        os.killpg(os.getpid(), signal.SIGKILL)


def _redirect(output: Path, errors: Path) -> None:
    """Append what is written to stdout and stderr to files, line by line."""
    for number, name, path in ((1, "stdout", output), (2, "stderr", errors)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(file, number)
        os.close(file)
        stream = os.fdopen(
            number, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False
        )
        setattr(sys, name, stream)


def _limit_threads(threads: int) -> None:
    if threads < 1:
        return
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # for whoever loads them from here on
        os.environ[name] = str(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    sys.exit(run_further(sys.argv[1:]))
