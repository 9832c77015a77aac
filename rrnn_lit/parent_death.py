"""A process that ends when its parent does, however that ends. Imports next to nothing."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # from Linux's prctl.h


def die_with_parent(parent: int | None = None) -> None:
    """Ask Linux to kill this process when its parent ends.

    Args:
        parent: number of the process that should be the parent. Where it no longer is, on any
            system, this one is killed at once: the parent has ended before it could be asked for.
            None for whoever it is.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
