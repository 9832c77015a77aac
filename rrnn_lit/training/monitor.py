"""TrainingMonitor: figures of the training steps since the last log line.

Sums stay on the device until a line is due, so that the host never waits inside a step.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.stopwatch import Stopwatch

SumOverProcesses = Callable[[Tensor], tuple[Tensor, int]]


class TrainingMonitor:
    """Collects the figures of a logging interval."""

    def __init__(self) -> None:
        self.num_sentences = 0  # since the start of the run; part of the checkpoint
        self.gradient_norm: Tensor | None = None
        self._matched: tuple[Tensor, int] = torch.tensor(torch.nan), 1
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
        """Add a step.

        Args:
            num_sentences: of all processes.
            loss: whose mean over processes is the loss.
            num_words: of this process; 0 where its sentences are another's, too.
            dropped: words without a gradient, of this process.
        """
        self._is_busy = num_words > 0
        self._num_steps += 1
        self._interval_sentences += num_sentences
        self.num_sentences += num_sentences
        self._num_words += num_words
        for name, value in (("loss", loss), ("dropped", dropped)):
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def note_matched(self, matched: Tensor, num_words: int) -> None:
        """Keep the matched words of the step that ends the interval, of this process."""
        self._matched = matched, num_words

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

    def take(self, over_processes: SumOverProcesses | None = None) -> dict[str, float]:
        """Return the figures of the interval and begin the next.

        Args:
            over_processes: sums a tensor over processes, on the device, and says how many there
                are; all call it together. None for one process. The two times are this process's.
        """
        matching = self._matching.take()  # first: it waits for the device
        seconds = time.perf_counter() - self._start
        loss, dropped, words, matched, matched_of = self._shares(over_processes)
        figures = {
            keys.TRAIN_LOSS: loss / self._num_steps,
            keys.TRAIN_MATCHED_WORD_RATE: matched / matched_of,
            keys.TRAIN_DROPPED_WORD_RATE: dropped / words,
            keys.TRAIN_SENTENCES_PER_SECOND: self._interval_sentences / seconds,
            keys.TRAIN_MATCHING_TIME_SHARE: matching / seconds,
            keys.TRAIN_SENTENCES: float(self.num_sentences),
        }
        if self.gradient_norm is not None:
            figures[keys.TRAIN_GRADIENT_NORM] = float(self.gradient_norm)
        self._new_interval()
        return figures

    def _shares(self, over_processes: SumOverProcesses | None) -> tuple[float, ...]:
        """Return loss, dropped words, words, matched words and those they are a part of."""
        matched, matched_of = self._matched if self._is_busy else (torch.zeros(()), 0)
        mine = self._sums["loss"], self._sums["dropped"], self._num_words, matched, matched_of
        if over_processes is None:
            return tuple(float(value) for value in mine)
        device = self._sums["loss"].device
        values = torch.tensor([float(v) for v in mine], dtype=torch.float64, device=device)
        values, num_processes = over_processes(values)
        loss, *counts = values.tolist()
        return loss / num_processes, *counts
