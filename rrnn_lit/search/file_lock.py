"""One process at a time: a locked file beside another file, which ends with its process."""

import fcntl
import os
from pathlib import Path


class FileLock:
    """The lock `<file>.lock`, held from construction to `release`; the file stays.

    The kernel drops the lock when the process ends in any way, so no lock can be left over. The
    file is not removed: another process may be about to lock it.

    Raises:
        ValueError: another process, or another lock object of this one, holds it.
    """

    def __init__(self, guarded: Path) -> None:
        path = guarded.with_name(f"{guarded.name}.lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise ValueError(
                f"storage: {guarded} is in use by process {holder or '?'}; an SQLite file serves"
                " one process at a time, use a postgresql:// storage for more"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others have it; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
