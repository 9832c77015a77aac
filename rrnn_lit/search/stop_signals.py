"""What SIGTERM, SIGUSR1 and Ctrl-C do to a command: it cleans up, says so and ends.

A cluster sends SIGTERM or SIGUSR1 to a job that it takes the machine from, at any time. A handler
is only the main thread's, so elsewhere nothing here changes anything.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_RAISING = (signal.SIGTERM, signal.SIGUSR1)  # Ctrl-C raises by itself
_CALLING = (*_RAISING, signal.SIGINT)
_SAME_S = 2.0


class StoppedError(BaseException):
    """A signal came; like KeyboardInterrupt no error that somebody may catch and go on from."""


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGUSR1 raise StoppedError in the main thread.

    A job and each of its steps may be sent the same one: what comes soon after the first does not
    disturb the cleaning up.
    """
    came: list[float] = []

    def handle(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if came and now - came[-1] < _SAME_S:
            return
        came.append(now)
        raise StoppedError(signal.Signals(number).name)

    with _handled(_RAISING, handle):
        yield


@contextmanager
def call_on_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Let SIGTERM, SIGUSR1 and the first Ctrl-C call `stop`; yields the list of those that came.

    An exception at any point of the host could leave a trial half put back, so it is only the
    second Ctrl-C that raises one. A cluster may repeat its signals.
    """
    came: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if number == signal.SIGINT:
            signal.signal(number, before)
        stop()

    with _handled(_CALLING, handle):
        yield came


@contextmanager
def _handled(
    numbers: tuple[signal.Signals, ...], handle: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            signal.signal(number, handle)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
