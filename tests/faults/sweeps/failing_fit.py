"""An entry that is `rrnn fit` with one real fault, chosen by the name of the run's folder."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import yaml
from lightning.pytorch.callbacks import Callback

from rrnn_lit import cli
from rrnn_lit.bench.faults.numbers import NotFinite
from rrnn_lit.bench.faults.signals import arm

ENTRY = f"{__name__}:main"
FAULT_STEP, SAVE_EVERY = 5, 3
KILLED_ONCE = "trial-0007"


def main(arguments: list[str]) -> int:
    folder = _folder(arguments)
    callback = FAULTS.get(folder.name)
    if folder.name == KILLED_ONCE and not (folder / "checkpoints").exists():
        callback = At(_kill)
    if callback is not None:
        arm(callback)
    return cli.main(arguments)


def _folder(arguments: list[str]) -> Path:
    options = yaml.safe_load(Path(arguments[-1]).read_text(encoding="utf-8"))
    return Path(options["run"]["folder"])


class At(Callback):
    """Calls a function before the step behind `FAULT_STEP`."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == FAULT_STEP:
            self._act()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _gpu_is_full() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


def _leave() -> None:
    raise SystemExit(3)


FAULTS: dict[str, Callback] = {
    "trial-0000": At(lambda: time.sleep(600)),  # the first: others go on beside it
    "trial-0001": At(_gpu_is_full),
    "trial-0002": At(lambda: torch.empty(1 << 48)),  # more than any machine has
    "trial-0003": At(_kill),
    "trial-0004": NotFinite(FAULT_STEP, "loss", "nan"),
    "trial-0005": At(_leave),
}
REASONS = {0: "timeout", 1: "oom", 2: "oom", 3: "killed", 4: "nan", 5: "error"}
