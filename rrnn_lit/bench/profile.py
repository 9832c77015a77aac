"""Where a training step spends its time: `python -m rrnn_lit.bench.profile`.

A real training runs a few steps under torch's profiler. The parts of a step get their labels from
outside, by wrapping the calls, so that the product code carries none. Written are a table with
the share per part and the longest operations, and a trace that Chrome or Perfetto shows.

Times under the profiler are longer than without it, by some microseconds an operation; only
`rrnn bench step` measures how long a step takes.
"""

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
from jsonargparse import ArgumentParser
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.table import Column, Table
from torch.profiler import ProfilerActivity, profile

from rrnn_lit.bench import training_run
from rrnn_lit.bench.lengths import MAX_WORDS
from rrnn_lit.bench.options import check_at_least, check_device
from rrnn_lit.bench.step_data import TextSizes, text_folder
from rrnn_lit.bench.step_parts import PARTS, Parts, WaitingLabel
from rrnn_lit.bench.step_peers import wait_for
from rrnn_lit.training.autoencoder_module import AutoencoderModule

TRACE_FILE = "trace.json"
TABLE_FILE = "profile.txt"
REST = "rest"
_NUM_OPERATIONS = 15
_NAME_LENGTH = 60  # kernels' names on CUDA are longer than a line
_HELP = "Profile training steps: share per part, longest operations, trace for Chrome or Perfetto."


@dataclass(frozen=True)
class ProfileOptions:
    """What to profile.

    Attributes:
        hidden_size: width of the network.
        batch_size: sentences of a batch.
        vocab_size: words of the dictionary, at least 1,000; not used with a folder.
        word_dim: length of a word vector, at least 8; not used with a folder.
        folder: prepared folder whose text is used; null makes up text of news-like sizes.
        margin: cosine by which a word must lead to count as matched.
        precision: bf16-mixed, 16-mixed or 32-true; empty: 16 bit of the device.
        length_buckets: batches sorted by length together.
        steps: profiled steps.
        warm_up: steps before them, at least 1.
        seed: of made-up text and initial weights, any non-negative integer.
        device: cpu or cuda.
        out: folder for trace and table; created if missing.
    """

    hidden_size: int = 1024
    batch_size: int = 32
    vocab_size: int = 50_000
    word_dim: int = 300
    folder: str | None = None
    margin: float = 0.0
    precision: str = ""
    length_buckets: int = 50
    steps: int = 10
    warm_up: int = 5
    seed: int = 0
    device: str = "cpu"
    out: str = "runs/profile"

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        least = {"hidden_size": 1, "batch_size": 1, "vocab_size": 1_000, "word_dim": 8}
        least |= {"length_buckets": 0, "steps": 1, "warm_up": 1, "seed": 0}
        check_at_least(self, least)
        check_device(self.device)


class Operation(NamedTuple):
    """An operation: milliseconds a step without what it calls, and calls a step."""

    name: str
    milliseconds: float
    calls: float


@dataclass(frozen=True)
class StepProfile:
    """Milliseconds of a step.

    Attributes:
        milliseconds: all of a step, by the clock.
        parts: part -> its milliseconds; `rest` is what no label covers.
        operations: the longest ones.
    """

    milliseconds: float
    parts: dict[str, float]
    operations: list[Operation]


class _Profiling(Callback):
    """Profiles the steps behind the warm-up, from the start of a batch to that of another."""

    def __init__(self, parts: Parts, first: int, last: int, activities: Any) -> None:
        self.profiler = profile(activities=activities)
        self.seconds = 0.0
        self.part_seconds: dict[str, float] = {}
        self._parts = parts
        self._first = first
        self._last = last
        self._labels = ExitStack()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, AutoencoderModule)
        labels = self._parts.labelled(pl_module, trainer.optimizers[0])
        self._labels.enter_context(labels)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == self._first:
            self.profiler.start()
            self._parts.take()
            self.seconds = -time.perf_counter()
        elif batch_idx == self._last:
            wait_for(pl_module.device)
            self.seconds += time.perf_counter()
            self.part_seconds = self._parts.take()
            self.profiler.stop()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._labels.close()


def run(options: ProfileOptions) -> StepProfile:
    """Profile a training and write the trace into `options.out`."""
    device = check_device(options.device)
    num_steps = options.warm_up + options.steps + 1  # the clock stops when another step begins
    # short of a whole pass: the next one would begin with another sort
    sentences = (num_steps + options.length_buckets + 1) * options.batch_size
    sizes = TextSizes(sentences, options.vocab_size, options.word_dim, options.seed)
    activities = {ProfilerActivity.CPU}
    if device.type == "cuda":
        activities.add(ProfilerActivity.CUDA)
    parts = Parts(device)
    last = options.warm_up + options.steps
    profiling = _Profiling(parts, options.warm_up, last, activities)
    precision = options.precision or training_run.DEVICE_PRECISION[device.type]
    torch.manual_seed(options.seed)
    with text_folder(options.folder, sizes) as folder:
        data = training_run.make_data(
            folder, options.batch_size, MAX_WORDS, options.length_buckets, 0
        )
        module = training_run.make_module(
            data.word_dim, options.hidden_size, options.margin, "standard", 0
        )
        training_run.fit(
            module, data, num_steps, device, precision, profiling, WaitingLabel(parts)
        )
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    profiling.profiler.export_chrome_trace(str(out / TRACE_FILE))
    return _summarise(profiling, options.steps, device)


def _summarise(profiling: _Profiling, steps: int, device: torch.device) -> StepProfile:
    per_step = 1_000 / steps
    parts = {part: per_step * s for part, s in profiling.part_seconds.items()}
    parts[REST] = per_step * (profiling.seconds - sum(profiling.part_seconds.values()))
    attribute = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    events = [event for event in profiling.profiler.key_averages() if event.key not in PARTS]
    events.sort(key=lambda event: -getattr(event, attribute))
    operations = [
        # the profiler counts microseconds
        Operation(event.key, getattr(event, attribute) / 1_000 / steps, event.count / steps)
        for event in events[:_NUM_OPERATIONS]
    ]
    return StepProfile(per_step * profiling.seconds, parts, operations)


def print_profile(found: StepProfile, console: Console) -> None:
    """Print the share of each part and the longest operations."""
    total = found.milliseconds
    parts = Table("part", *_right("ms a step", "share"))
    for name, milliseconds in found.parts.items():
        parts.add_row(name, f"{milliseconds:.2f}", f"{milliseconds / total:.1%}")
    operations = Table("operation", *_right("ms a step", "share", "calls a step"))
    for name, milliseconds, calls in found.operations:
        share = f"{milliseconds / total:.1%}"
        operations.add_row(name[:_NAME_LENGTH], f"{milliseconds:.2f}", share, f"{calls:.0f}")
    console.print(f"a step: {total:.1f} ms under the profiler", highlight=False)
    console.print(parts, operations)


def _right(*headers: str) -> list[Column]:
    return [Column(header, justify="right") for header in headers]


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    parser = ArgumentParser(prog="python -m rrnn_lit.bench.profile", description=_HELP)
    parser.add_class_arguments(ProfileOptions)
    parser.add_argument("--threads", type=int, default=1, help="threads of the processor")
    given = vars(parser.parse_args(arguments))
    torch.set_num_threads(given.pop("threads"))
    options = ProfileOptions(**given)
    found = run(options)
    print_profile(found, Console())
    with open(Path(options.out) / TABLE_FILE, "w", encoding="utf-8") as file:
        print_profile(found, Console(file=file, width=100))
    print(f"written to {options.out}: {TABLE_FILE}, {TRACE_FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
