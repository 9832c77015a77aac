"""Accumulated time of a part of the training step, on CPU or CUDA, without stalling the GPU."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Stopwatch:
    """Adds up the time spent inside `measure` until it is taken."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def measure(self, device: torch.device) -> Iterator[None]:
        """Time the work inside; on CUDA by events in the stream, read only by `take`."""
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            yield
            end.record()
            self._events.append((start, end))
        else:
            begun = time.perf_counter()
            yield
            self._seconds += time.perf_counter() - begun

    def take(self) -> float:
        """Return the seconds since the last call and start anew."""
        if self._events:
            self._events[-1][1].synchronize()
        seconds = self._seconds + sum(float(a.elapsed_time(b)) for a, b in self._events) / 1000
        self._seconds, self._events = 0.0, []
        return float(seconds)
