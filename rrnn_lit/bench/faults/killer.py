"""ProcessKiller: kills one process of a group every so many seconds, as a cluster loses them."""

import os
import random
import signal
import threading
from collections.abc import Callable, Sequence
from types import TracebackType


class ProcessKiller:
    """Sends a signal to a process drawn at random, again and again, inside a `with`.

    Args:
        processes: returns the numbers of those alive; called anew each time.
        period_s: seconds between two kills.
        seed: of the draws.
        number: which signal.

    Attributes:
        killed: numbers of the processes, in order.
    """

    def __init__(
        self,
        processes: Callable[[], Sequence[int]],
        period_s: float,
        seed: int = 0,
        number: signal.Signals = signal.SIGKILL,
    ) -> None:
        if period_s <= 0:
            raise ValueError(f"period_s: wanted a number above 0, got {period_s}")
        self.killed: list[int] = []
        self._processes = processes
        self._period_s = period_s
        self._draw = random.Random(seed)
        self._number = number
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="process killer", daemon=True)

    def __enter__(self) -> "ProcessKiller":
        """Begin; the first kill comes after one period."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._is_over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._is_over.wait(self._period_s):
            alive = sorted(self._processes())
            if not alive:
                continue
            chosen = self._draw.choice(alive)
            try:
                os.kill(chosen, self._number)
            except ProcessLookupError:  # it has just ended by itself
                continue
            self.killed.append(chosen)
