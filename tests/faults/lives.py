"""Runs of the tiny config that die and go on, each start in a forked process."""

import hashlib
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning.pytorch.callbacks import Callback

# what every command loads: once here, and not again in each forked process
import rrnn_lit.evaluation.curves
import rrnn_lit.training.lightning_cli  # noqa: F401
from rrnn_lit import cli as command
from rrnn_lit.bench.faults.sentence_log import SentenceLog
from rrnn_lit.bench.faults.signals import arm
from rrnn_lit.training.metrics_log import read_metrics
from tests.training.tiny import OWN, Options, differences, in_child, load, tiny_config

LAST = "checkpoints/last.ckpt"
# what may differ between two equal runs: when a line was written, and how fast it went
_OWN = ("time", "life", "train/sentences_per_second", "train/matching_time_share")


@dataclass
class TinyRun:
    """One run of the tiny config through `rrnn fit`.

    Attributes:
        folder: of the run.
        data: prepared folder.
        options: dotted options beside the tiny config's.
        prepare_process: called in each forked process before the command.
    """

    folder: Path
    data: Path
    options: Options = field(default_factory=dict)
    prepare_process: Callable[[], None] = lambda: None

    @property
    def sentences(self) -> Path:
        """What `SentenceLog` wrote in all starts."""
        return self.folder.with_name(f"{self.folder.name}.sentences.jsonl")

    def start(self, *faults: Callback, arguments: Sequence[str] = ()) -> int:
        """Begin, or go on where there is an unfinished run; return the exit code.

        Args:
            faults: callbacks that run before the product's own.
            arguments: further ones of the command.
        """
        config = self.folder.with_name(f"{self.folder.name}.yaml")
        config.parent.mkdir(parents=True, exist_ok=True)
        content = tiny_config(self.data, self.folder, {**self.options, "run.if_exists": "resume"})
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        return self._fit(faults, ["--config", str(config), *arguments])

    def resume(self, *faults: Callback, arguments: Sequence[str] = ()) -> int:
        """Go on by `--resume`, also with a run that is to be extended; otherwise as `start`."""
        return self._fit(faults, ["--resume", str(self.folder), *arguments])

    def _fit(self, faults: Sequence[Callback], arguments: list[str]) -> int:
        """Run `rrnn fit` in a forked process; return its exit code, minus a signal's number."""

        def fit() -> int:
            # on a machine with fewer cores torch warns of many data workers; here an error
            warnings.filterwarnings("ignore", "This DataLoader will create")
            self.prepare_process()
            arm(SentenceLog(str(self.sentences)), *faults)
            return command.main(["fit", *arguments])

        return in_child(fit)

    def copy(self, folder: Path) -> "TinyRun":
        """Return a run that has the files of this one in another folder."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)

    def last(self) -> dict[str, Any]:
        """Return `last.ckpt`."""
        return load(self.folder / LAST)

    def digest(self) -> str:
        """Return a digest of `last.ckpt`, but for places, times and data workers."""
        content = self.last()
        content["datamodule_hyper_parameters"].pop("num_workers")
        return hashlib.sha256("\n".join(_lines(content)).encode()).hexdigest()

    def figures(self) -> list[dict[str, Any]]:
        """Return the effective lines of `metrics.jsonl`, without times."""
        records = read_metrics(self.folder / "metrics.jsonl")
        return [{k: v for k, v in r.items() if k not in _OWN} for r in records]


def keys_differing(first: TinyRun, second: TinyRun) -> list[str]:
    """Return the places in which the final checkpoints of two runs differ, bit for bit."""
    return differences(first.last(), second.last())


def _lines(value: Any, place: str = "") -> list[str]:
    """Return a line for each value in a checkpoint, in an order that is always the same."""
    if isinstance(value, torch.Tensor):
        content = value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        digest = hashlib.sha256(content).hexdigest()
        return [f"{place} {value.dtype} {tuple(value.shape)} {digest}"]
    if isinstance(value, dict):
        if place.endswith("best_k_models"):  # its keys are places
            return _lines(list(value.values()), f"{place} scores")
        kept = sorted((key for key in value if key not in OWN), key=str)
        return [line for key in kept for line in _lines(value[key], f"{place}/{key}")]
    if isinstance(value, list | tuple):
        return [line for i, entry in enumerate(value) for line in _lines(entry, f"{place}[{i}]")]
    return [f"{place} {value!r}"]
