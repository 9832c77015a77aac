"""Whose a run folder is: one trial of one study, and one worker at a time.

Studies of one name meet in one folder when a database is thrown away or another one is used. What
a run of the other study came to must not be taken for a result of this one.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rrnn_lit.training.run_folder import is_run
from rrnn_lit.whole_files import write_text

OWNER_FILE = "trial.json"
LOCK_FILE = ".lock"
_POLL_S = 0.1


@dataclass(frozen=True)
class Owner:
    """The trial that a run folder belongs to.

    Attributes:
        study: name of the study at the foot of the ladder.
        token: of that study; tells studies of one name apart.
        trial: number in that study.
    """

    study: str
    token: str
    trial: int

    def __str__(self) -> str:
        """Return it for a message."""
        return f"trial {self.trial} of study {self.study} (token {self.token})"


def check_owner(folder: Path, owner: Owner) -> None:
    """Return unless the folder holds a run of another trial.

    Raises:
        ValueError: it does, or nobody knows whose run it is.
    """
    found = _read(folder / OWNER_FILE)
    if found == owner or (found is None and not is_run(folder)):
        return
    got = f"that of {found}" if found is not None else f"a run without {OWNER_FILE}"
    raise ValueError(
        f"{folder}: wanted a new folder or the run of {owner}, got {got};"
        " give this study another folder with --out, or another name with --name"
    )


def take_folder(folder: Path, owner: Owner) -> None:
    """Make the folder if it is missing, and note whose it is.

    Raises:
        ValueError: as `check_owner`.
    """
    check_owner(folder, owner)
    folder.mkdir(parents=True, exist_ok=True)
    if _read(folder / OWNER_FILE) is None:
        write_text(folder / OWNER_FILE, json.dumps(vars(owner)) + "\n")


def _read(path: Path) -> Owner | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Owner(str(found["study"]), str(found["token"]), int(found["trial"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def folder_lock(folder: Path, wait_s: float, is_over: Callable[[], bool]) -> Iterator[bool]:
    """Hold the folder against other workers on this machine; yields whether it is held.

    The system frees it when this process ends in any way. File systems without locks count as
    free.

    Args:
        folder: made if it is missing.
        wait_s: seconds to wait for another worker.
        is_over: whether to wait no longer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        end = time.monotonic() + wait_s
        while not (is_held := _lock(file)) and time.monotonic() < end and not is_over():
            time.sleep(_POLL_S)
        yield is_held
    finally:
        os.close(file)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
