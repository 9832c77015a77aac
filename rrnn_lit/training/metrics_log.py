"""MetricsLog: the record of a run, one JSON object a line in `metrics.jsonl`.

Needs no account and no network; W&B shows the same numbers. After a resume, steps behind the
checkpoint occur again with a higher `life`; `read_metrics` keeps the highest.
"""

import json
import os
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from rrnn_lit.training.metrics_lines import metrics_record, read_metrics
from rrnn_lit.training.run_folder import METRICS_FILE

__all__ = ["MetricsLog", "read_metrics"]


class MetricsLog(Logger):
    """Appends figures to `metrics.jsonl`; a line is one write.

    Args:
        folder: the run's folder.
        held: its ownership, which is entered around every write.

    Raises:
        ValueError: there is a `metrics.jsonl` of another kind.
    """

    def __init__(
        self, folder: Path, held: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        super().__init__()
        self._held = held
        self._path = folder / METRICS_FILE
        self._life = _next_life(self._path)
        self._is_begun = False
        self._is_on_disk = True

    @property
    def name(self) -> str:
        """Return the name of the run's folder."""
        return self._path.parent.name

    @property
    def life(self) -> int:
        """Return the number of this start of the run; those that logged nothing do not count."""
        return self._life

    @property
    def version(self) -> str:
        """Return nothing: a folder holds one run."""
        return ""

    @property
    def save_dir(self) -> str:
        """Return the run's folder; Lightning's default place for files."""
        return str(self._path.parent)

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Do nothing: `config.yaml` is the record of the options."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append a line with step, time (seconds since 1970), life and the figures."""
        figures = {k: float(v) for k, v in metrics.items() if k != "epoch"}
        record = {"step": step, "time": round(time.time(), 3), "life": self._life, **figures}
        line = json.dumps(record).encode() + b"\n"
        with self._held():
            if not self._is_begun:
                self._is_begun = True
                _cut_half_line(self._path)
            with open(self._path, "ab", buffering=0) as file:
                self._is_on_disk = False
                file.write(line)

    @rank_zero_only
    def put_on_disk(self) -> None:
        """Have all lines so far outlive a power cut; costs nothing where none is new."""
        if self._is_on_disk:
            return
        for path in (self._path, self._path.parent):  # the name of a new file, too
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        self._is_on_disk = True


def _next_life(path: Path) -> int:
    """Return the number of this start of the run, from 1."""
    if not path.exists():
        return 1
    lines = path.read_bytes().split(b"\n")[:-1]
    return int(metrics_record(path, len(lines), lines[-1])["life"]) + 1 if lines else 1


def _cut_half_line(path: Path) -> None:
    """Cut what a kill has left of a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
