"""TrainingMonitor: figures of the training steps since the last log line.

Sums stay on the device until a line is due, so that the host never waits inside a step.
"""

import time
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.stopwatch import Stopwatch


class TrainingMonitor:
    """Collects the figures of a logging interval."""

    def __init__(self) -> None:
        self.num_sentences = 0  # since the start of the run; part of the checkpoint
        self.gradient_norm: Tensor | None = None
        self.matched_word_rate = torch.tensor(torch.nan)
        self._matching = Stopwatch()
        self._new_interval()

    def _new_interval(self) -> None:
        self._start = time.perf_counter()
        self._num_steps = 0
        self._interval_sentences = 0
        self._num_words = 0
        self._sums: dict[str, Tensor] = {}

    def measure_matching(self, device: torch.device) -> AbstractContextManager[None]:
        """Time the matching done inside."""
        return self._matching.measure(device)

    def add_step(self, num_sentences: int, loss: Tensor, num_words: int, dropped: Tensor) -> None:
        """Add a step: sentences of all processes, loss, words, and dropped words."""
        self._num_steps += 1
        self._interval_sentences += num_sentences
        self.num_sentences += num_sentences
        self._num_words += num_words
        for name, value in (("loss", loss), ("dropped", dropped)):
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def start(self) -> None:
        """Begin the first interval when training begins."""
        self._matching.take()
        self._new_interval()

    def pause(self) -> None:
        """Leave out the time since the last step, an evaluation for example."""
        self._paused_at = time.perf_counter()

    def resume(self) -> None:
        """End a pause."""
        self._start += time.perf_counter() - self._paused_at

    def take(self) -> dict[str, float]:
        """Return the figures of the interval and begin the next."""
        matching = self._matching.take()  # first: it waits for the device
        seconds = time.perf_counter() - self._start
        figures = {
            keys.TRAIN_LOSS: float(self._sums["loss"]) / self._num_steps,
            keys.TRAIN_MATCHED_WORD_RATE: float(self.matched_word_rate),
            keys.TRAIN_DROPPED_WORD_RATE: float(self._sums["dropped"]) / self._num_words,
            keys.TRAIN_SENTENCES_PER_SECOND: self._interval_sentences / seconds,
            keys.TRAIN_MATCHING_TIME_SHARE: matching / seconds,
            keys.TRAIN_SENTENCES: float(self.num_sentences),
        }
        if self.gradient_norm is not None:
            figures[keys.TRAIN_GRADIENT_NORM] = float(self.gradient_norm)
        self._new_interval()
        return figures
