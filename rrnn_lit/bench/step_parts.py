"""The parts of a training step, labelled and timed from outside by wrapping its calls."""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from lightning.pytorch.profilers import Profiler
from torch.profiler import record_function

from rrnn_lit.bench.training_run import wrapped
from rrnn_lit.training import autoencoder_module
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.stopwatch import Stopwatch

PARTS = ("data", "look-up", "encoder", "decoder", "matching", "loss", "backward", "ADAM")


class Parts:
    """Labels the parts of a step for the trace and adds up their time.

    Args:
        device: of the training; on CUDA the time is that of the stream.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stopwatches = {part: Stopwatch() for part in PARTS}

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Count the work inside as a part of the step."""
        with record_function(part), self._stopwatches[part].measure(self._device):
            yield

    @contextmanager
    def labelled(
        self, module: AutoencoderModule, optimizer: torch.optim.Optimizer
    ) -> Iterator[None]:
        """Wrap the calls of a training that are parts of a step."""
        calls: list[tuple[Any, str, str]] = [
            (autoencoder_module, "look_up", "look-up"),
            (module.autoencoder.encoder, "encode", "encoder"),
            (module.autoencoder.decoder, "decode", "decoder"),
            (module.words, "is_nearest", "matching"),
            (autoencoder_module, "reconstruction_loss", "loss"),
            (module, "backward", "backward"),
            (optimizer, "step", "ADAM"),
        ]
        with ExitStack() as stack:
            for owner, name, part in calls:
                around = functools.partial(self.measure, part)
                stack.enter_context(wrapped(owner, name, around))
            stack.enter_context(_closure_first(optimizer))
            yield

    def take(self) -> dict[str, float]:
        """Return the seconds of each part since the last call and start anew."""
        return {part: stopwatch.take() for part, stopwatch in self._stopwatches.items()}


@contextmanager
def _closure_first(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Run what Lightning hands to the optimizer, the rest of the step, before it, not inside."""
    inner = optimizer.step

    def step(closure: Callable[[], Any] | None = None) -> Any:
        loss = None if closure is None else closure()
        inner()
        return loss

    optimizer.step = step  # type: ignore[method-assign]
    try:
        yield
    finally:
        optimizer.step = inner  # type: ignore[method-assign]


class WaitingLabel(Profiler):
    """Measures the wait for a batch, which only Lightning's own loop sees."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._open = ExitStack()

    def start(self, action_name: str) -> None:
        """Open the label if a batch is fetched."""
        if action_name.endswith("train_dataloader_next"):
            self._open.enter_context(self._parts.measure("data"))

    def stop(self, action_name: str) -> None:
        """Close the label if a batch was fetched."""
        if action_name.endswith("train_dataloader_next"):
            self._open.close()
