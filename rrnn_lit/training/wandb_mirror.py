"""WandbMirror: the run's side of the process that shows it in W&B.

Nothing here waits for W&B, but for `close`, and nothing that goes wrong with it is raised; that
the folder is another process's now is.
"""

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from rrnn_lit.training import wandb_process
from rrnn_lit.training.run_folder import METRICS_FILE
from rrnn_lit.training.wandb_process import GIVE_UP_S, TABLES_FILE, Plan, one_line

_EXIT_S = 5.0  # beyond the process's own limit


class WandbMirror(Logger):
    """Shows `metrics.jsonl` in W&B.

    Args:
        folder: the run's folder; its W&B id is there.
        init: arguments of `wandb.init`.
        held: the folder's ownership, which is entered around every write.
    """

    def __init__(
        self,
        folder: Path,
        init: dict[str, Any],
        held: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__()
        self._folder = folder
        self._held = held
        self._init = init
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""

    @property
    def name(self) -> str:
        """Return the W&B project."""
        return str(self._init["project"])

    @property
    def version(self) -> str:
        """Return the id of the W&B run."""
        return str(self._init["id"])

    @property
    def save_dir(self) -> str:
        """Return the run's folder."""
        return str(self._folder)

    @rank_zero_only
    def start(self, step: int) -> None:
        """Start the process; `config.yaml` has to be there.

        Args:
            step: at which this start of the run begins.
        """
        folder = self._folder
        try:
            with self._held():
                sizes = [_cut_half_line(folder / TABLES_FILE), _whole_lines(folder / METRICS_FILE)]
            plan = Plan(str(folder), step, sizes[1], sizes[0], self._init)
            command = [sys.executable, "-m", wandb_process.__name__]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Ctrl-C is for the run; and what it has logged is sent although it is killed
                start_new_session=True,
            )
            assert self._process.stdout is not None
            os.set_blocking(self._process.stdout.fileno(), False)
            self._write(asdict(plan))
        except (OSError, ValueError) as error:
            self._give_up(error)

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Do nothing: W&B gets the whole `config.yaml`."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Pass on what the process has to say; the figures it takes from `metrics.jsonl`."""
        self._listen()

    @rank_zero_only
    def log_table(self, key: str, columns: list[str], data: list[list[Any]], step: int) -> None:
        """Show a table.

        Args:
            key: its name.
            columns: their names.
            data: rows.
            step: of the run.
        """
        if self._process is None:
            return
        record = {"step": step, "life": 0, "table": key, "columns": columns, "rows": data}
        try:
            with self._held(), open(self._folder / TABLES_FILE, "ab", buffering=0) as file:
                file.write(json.dumps(record).encode() + b"\n")
        except OSError as error:
            self._give_up(error)

    def close(self, exit_code: int, end: str) -> None:
        """Let W&B have the rest, in a limited time.

        Args:
            exit_code: of the run.
            end: why it ended, in one word.
        """
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        with suppress(OSError):  # it has ended before
            self._write({"exit_code": exit_code, "end": end})
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GIVE_UP_S + _EXIT_S)
        self._listen()
        if process.returncode is None:
            _say(f"W&B: no end within {GIVE_UP_S:.0f} s; the figures are in {METRICS_FILE}")
        elif process.returncode < 0:
            _say(f"W&B: its process was killed; the figures are in {METRICS_FILE}")
        self._end()

    def abandon(self) -> None:
        """Say nothing more to W&B: the run there is another process's now."""
        self._end()

    def _write(self, order: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def _listen(self) -> None:
        if self._process is None:
            return
        assert self._process.stdout is not None
        while data := self._process.stdout.read():
            self._said += data
        *lines, self._said = self._said.split(b"\n")
        for line in lines:
            _say(line.decode())

    def _give_up(self, error: Exception) -> None:
        _say(f"W&B: {one_line(error)}; the run goes on without it")
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # nobody reads the rest
                    pipe.close()


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _whole_lines(path: Path) -> int:
    """Return the bytes up to the end of the last whole line; 0 without a file."""
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def _cut_half_line(path: Path) -> int:
    """Cut what a kill has left of a line and return the size."""
    size = _whole_lines(path)
    if path.exists():
        os.truncate(path, size)
    return size
