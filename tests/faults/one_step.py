"""A training of one step in a forked process that can harm nobody, for configs of any content."""

import multiprocessing.process
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

MORE_MEMORY = 3 << 30  # bytes above what the process has when it is forked
SECONDS = 40  # of processor time: a config that needs more hangs
STARTED_PROCESSES = 90  # exit code: the run began to start other processes


@dataclass(frozen=True)
class Ending:
    """How a command ended.

    Attributes:
        code: exit code, or minus the signal.
        out: of stdout.
        err: of stderr.
        seconds: wall time.
    """

    code: int
    out: str
    err: str
    seconds: float


class Child:
    """`rrnn` in a forked process, in a folder of its own."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._started = folder, time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                _enter(folder)
                code = _run(arguments)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)

    def ending(self, status: int) -> Ending:
        """Return how it ended, from the status that `wait` gave."""
        out, err = (
            (self._folder / name).read_text(encoding="utf-8", errors="replace")
            for name in ("stdout", "stderr")
        )
        return Ending(
            os.waitstatus_to_exitcode(status), out, err, time.monotonic() - self._started
        )


def _enter(folder: Path) -> None:
    """Leave stdout, stderr, folder and limits of the tests."""
    os.chdir(folder)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    # pytest has put its own in their place
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    torch.set_num_threads(1)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MORE_MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["WANDB_MODE"] = "disabled"  # it would be a process of its own
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(5 * SECONDS)
    subprocess.Popen.__init__ = _refuse  # type: ignore[method-assign]
    multiprocessing.process.BaseProcess.start = _refuse  # type: ignore[method-assign]


def _refuse(*_: Any, **__: Any) -> None:
    traceback.print_stack()
    sys.stderr.flush()
    os._exit(STARTED_PROCESSES)


def _run(arguments: list[str]) -> int:
    from rrnn_lit import cli
    from rrnn_lit.training.autoencoder_module import AutoencoderModule

    step, steps = AutoencoderModule.training_step, [0]

    def second_step_stops(*given: Any) -> Any:
        steps[0] += 1
        if steps[0] == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(*given)

    AutoencoderModule.training_step = second_step_stops  # type: ignore[method-assign,assignment]
    try:
        return cli.main(arguments)
    except Exception:
        traceback.print_exc()
        return 1
