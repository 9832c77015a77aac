"""SIGTERM and SIGUSR1 of a training, from its first line to its last.

Imports nothing heavy: a command listens before it loads anything. Where a signal ends the run is
for `preemption.py`.
"""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
# launchers number the processes of a run so
RANK_VARIABLES = ("RANK", "NODE_RANK", "LOCAL_RANK", "SLURM_PROCID")


class SetUpStoppedError(BaseException):
    """A signal came before there was anything to save; not for handlers of errors on the way.

    Args:
        reason: the signal's name.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"stopped in set-up ({reason}); the same command starts again")


class StopSignals:
    """Keeps signals from ending the process inside a `with`, which may be entered again inside.

    Only a main thread can listen.

    Args:
        raises: whether a signal raises SetUpStoppedError until `note_only` is called. Of several
            processes only the first does: the others decide together once they have met.

    Attributes:
        first: the first signal that came; None before.
    """

    def __init__(self, raises: bool = False) -> None:
        self.first: signal.Signals | None = None
        self._raises = raises and all(os.environ.get(n, "0") == "0" for n in RANK_VARIABLES)
        self._earlier: dict[signal.Signals, Any] = {}
        self._depth = 0

    def __enter__(self) -> "StopSignals":
        """Listen."""
        self._depth += 1
        if self._depth == 1 and _can_listen():
            self._earlier = {number: signal.getsignal(number) for number in SIGNALS}
            self.listen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        self._depth -= 1
        while not self._depth and self._earlier:
            number, handler = self._earlier.popitem()
            signal.signal(number, handler)

    def listen(self) -> None:
        """Listen again, after somebody else has begun to."""
        if _can_listen():
            for number in SIGNALS:
                signal.signal(number, self._meet)

    def note_only(self) -> None:
        """Raise nothing from now on."""
        self._raises = False

    def _meet(self, number: int, _: FrameType | None) -> None:
        self.first = self.first or signal.Signals(number)
        if self._raises:
            self._raises = False  # one is enough: the way out is not to be disturbed
            raise SetUpStoppedError(self.first.name)


def _can_listen() -> bool:
    return threading.current_thread() is threading.main_thread()
