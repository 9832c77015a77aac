"""Starts and stops the child processes of trials.

A fork server imports torch and lightning once, and every child is a copy of it: a trial starts
within a second, and whatever it leaves behind (memory, a crashed GPU, threads) goes with it.
Python has one fork server a process: the first TrialServer to start a child decides what it has
imported.
"""

import os
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, forkserver, get_context, resource_tracker
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import yaml

from rrnn_lit.complaints import EXIT_REFUSED, UnsafeError
from rrnn_lit.search.options import nest
from rrnn_lit.search.trial_child import STOP_SIGNALS, UNKNOWN_EXIT, ChildPlan, run
from rrnn_lit.training.run_folder import STOP_REQUEST_FILE

LOG_FILE = "log.txt"  # stdout and stderr of all attempts
# a trial never opens the database: it need not know the way there
STORAGE_VARIABLE = "RRNN_STORAGE"
_SECRETS = (STORAGE_VARIABLE, "PGPASSWORD", "PGPASSFILE")
# the host's place among processes that a cluster or torchrun has started: a trial is a run of its
# own, and would wait for others, or write nothing as it is not the first
_PLACES = (
    *("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "JSM_NAMESPACE_RANK", "WORLD_SIZE"),
    *("LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID"),
    *("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE"),
    "SLURM_NNODES",
)
_NOT_FOR_CHILDREN = (*_SECRETS, *_PLACES)

# multiprocessing looks after all children whenever one is started: two threads that do so at once
# read an exit code twice, and one of them gets nothing
_MULTIPROCESSING = threading.Lock()
_SERVER_PAUSES_S = (0.05, 0.2, 1.0)  # before the next tries to reach the fork server


@dataclass(frozen=True)
class TrialJob:
    """What to run and where.

    Attributes:
        folder: gets `log.txt` and, when the child is asked to stop, `stop_request`.
        arguments: of the entry.
        environment: variables beside those of this process.
        threads: threads of torch; 0 leaves the number alone.
    """

    folder: Path
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    threads: int


class TrialProcess:
    """A child that was started; it leads a process group."""

    def __init__(self, process: ForkServerProcess, folder: Path) -> None:
        assert process.pid is not None
        self.pid: int = process.pid
        self._process = process
        self._folder = folder
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while the child runs."""
        with _MULTIPROCESSING:
            if self._exit_code is None and self._process.exitcode is not None:
                code = self._process.exitcode
                # with its fork server a child is killed as well
                self._exit_code = -signal.SIGKILL if code == UNKNOWN_EXIT else code
                self._process.close()
                if code != 0:  # a run's other processes may wait for the one that died
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(self.pid, signal.SIGKILL)
            return self._exit_code

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until the child has ended, at most `timeout` seconds, and return as `poll`."""
        if self._exit_code is None:
            connection.wait([self._process.sentinel], timeout)
        return self.poll()

    def stop(self, why: str, grace_s: float) -> int:
        """Ask the child to stop, kill it after `grace_s` seconds, and return its exit code.

        Args:
            why: written into `stop_request`, before the child is asked.
            grace_s: seconds to save in; with 0 it is killed unasked and nothing is written.

        Only the child is asked: the processes of a run agree among themselves to stop. All are
        killed.
        """
        if grace_s > 0 and self.poll() is None:
            with suppress(OSError):  # a full disk must not keep the child running
                (self._folder / STOP_REQUEST_FILE).write_text(f"{why}\n", encoding="utf-8")
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            self.wait(grace_s)
        if self.poll() is None:
            with suppress(ProcessLookupError):
                self._kill()
        code = self.wait()
        assert code is not None
        return code

    def _kill(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it is so new that it leads no group yet
            os.kill(self.pid, signal.SIGKILL)


class TrialServer:
    """Starts children that run one function.

    Args:
        entry: `module:function`; takes a list of arguments and returns an exit code.
        preload: modules the fork server imports before it forks.
    """

    def __init__(
        self,
        entry: str = "rrnn_lit.cli:main",
        preload: Sequence[str] = ("rrnn_lit.training.lightning_cli",),
    ) -> None:
        self.entry = entry
        self._preload = [*preload, run.__module__]
        self._is_running = False
        self._context = get_context("forkserver")

    def prepare(self) -> None:
        """Start the fork server, if it does not run: to be called while no other thread works.

        What it must not inherit is taken out of this process's environment for a moment, and a
        thread that connects to a database reads it there. This process's place among others goes
        for good: a server that is started later inherits what is there then.
        """
        for name in _PLACES:
            os.environ.pop(name, None)
        with _MULTIPROCESSING, _no_main_module():
            self._ensure_server()

    def start(self, job: TrialJob) -> TrialProcess:
        """Start a child and return at once; its output is appended to `log.txt`."""
        job.folder.mkdir(parents=True, exist_ok=True)
        log = job.folder / LOG_FILE
        return self._start(job, log, log)

    def resolve(self, base: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options of a run with their values, as the command itself reads them.

        Args:
            base: config file of the run.
            overrides: dotted options that differ.

        Raises:
            UnsafeError: a security rule refuses them.
            ValueError: the options are wrong; the text is the command's own.
        """
        with tempfile.TemporaryDirectory(prefix="rrnn-options-") as name:
            folder = Path(name)
            changes = folder / "options.yaml"
            changes.write_text(yaml.safe_dump(nest(overrides)), encoding="utf-8")
            configs = ("--config", str(base), "--config", str(changes))
            job = TrialJob(folder, ("fit", *configs, "--print_config"), {}, threads=0)
            output, errors = folder / "stdout", folder / "stderr"
            process = self._start(job, output, errors)
            try:
                code = process.wait()
            finally:
                process.stop("interrupted", grace_s=0)
            if code != 0:
                said = _complaint(errors) or f"{base}: options of a run: code {code}"
                if code == EXIT_REFUSED:
                    raise UnsafeError(said.removeprefix("refused: "))
                raise ValueError(said)
            return dict(yaml.safe_load(output.read_text(encoding="utf-8")))

    def _start(self, job: TrialJob, output: Path, errors: Path) -> TrialProcess:
        kept = {k: v for k, v in os.environ.items() if k not in _NOT_FOR_CHILDREN}
        plan = ChildPlan(
            self.entry, job.arguments, {**kept, **job.environment}, job.threads, output, errors
        )
        process = self._context.Process(target=run, args=(plan,), name="trial")
        with _MULTIPROCESSING, _no_main_module():
            self._ensure_server()
            for pause_s in _SERVER_PAUSES_S:
                try:
                    self._start_once(process)
                    break
                except (ConnectionError, EOFError):  # a server that is just being killed
                    time.sleep(pause_s)
            else:
                self._start_once(process)
        return TrialProcess(process, job.folder)

    @staticmethod
    def _start_once(process: ForkServerProcess) -> None:
        with _blocked(STOP_SIGNALS):  # for one that takes the place of one that was killed
            forkserver.ensure_running()
        process.start()  # it waits for the server's imports, and a signal may end that

    def _ensure_server(self) -> None:
        if self._is_running:
            return
        self._context.set_forkserver_preload(self._preload)
        with _hidden(_NOT_FOR_CHILDREN), _patient_threads():
            with _blocked(STOP_SIGNALS):  # its start lets some of them through again
                resource_tracker.ensure_running()
            with _blocked(STOP_SIGNALS), _short_enough():
                forkserver.ensure_running()
        self._is_running = True


@contextmanager
def _short_enough() -> Iterator[None]:
    """Say what is too long where the system says that a socket's path is."""
    try:
        yield
    except OSError as error:
        if "AF_UNIX path too long" not in str(error):
            raise
        raise OSError(
            "TMPDIR: wanted a folder with a path of at most 70 characters, for the socket of the "
            f"process that starts trials, got {tempfile.gettempdir()}"
        ) from error


@contextmanager
def _hidden(names: Sequence[str]) -> Iterator[None]:
    """Let a process that is started inside inherit none of these variables."""
    hidden = {k: os.environ.pop(k) for k in names if k in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def _patient_threads() -> Iterator[None]:
    """Let the threads of a process that is started inside wait quietly."""
    is_new = "OMP_WAIT_POLICY" not in os.environ
    # read when torch is loaded; threads that spin while they wait slow a busy machine down
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        yield
    finally:
        if is_new:
            del os.environ["OMP_WAIT_POLICY"]


@contextmanager
def _blocked(signals: tuple[signal.Signals, ...]) -> Iterator[None]:
    """Let a process that is started inside ignore signals; its children are to decide."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Keep multiprocessing from running the host's main file again in every child."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _complaint(errors: Path) -> str:
    """Return the last line of a command's stderr without the command's name."""
    if not errors.is_file():
        return ""
    lines = errors.read_text(encoding="utf-8", errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[-1].removeprefix("rrnn fit: ") if said else ""
