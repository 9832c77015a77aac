"""`owner.json`: which process writes into a run's folder, and whether it still does.

On one machine the process itself is looked at: its number, and when it started, as numbers are
used again. Of a process of another machine, or in another container, only the file's time says
that it lives; the clock is that of the file system, never two machines'.
"""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rrnn_lit.training.process_start import PROCESSES, start_ticks

OWNER_FILE = "owner.json"
GRACE_S = 60.0  # untouched for so long, an owner on another machine counts as gone
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class OwnerRecord:
    """Whose folder it is.

    Attributes:
        host: name of the machine, for people.
        machine: its boot and its space of process numbers; empty where the system has neither.
        pid: number of the process.
        start_time: of the process, in ticks since the boot.
        since: when it took the folder, for people.
        token: random; tells two takings of one process apart.
    """

    host: str
    machine: str
    pid: int
    start_time: int
    since: str
    token: str

    def __str__(self) -> str:
        """Return it for a message."""
        return f"process {self.pid} on {self.host} since {self.since}"

    @property
    def is_here(self) -> bool:
        """Whether it is of this machine, where the process can be looked at."""
        return self.machine != "" and self.machine == _machine()

    @property
    def runs(self) -> bool:
        """Whether the process of this machine exists; a stopped one does."""
        return start_ticks(self.pid) == self.start_time


def own_record() -> OwnerRecord:
    """Return the record of this process, with a token of its own."""
    return OwnerRecord(
        host=socket.gethostname(),
        machine=_machine(),
        pid=os.getpid(),
        start_time=start_ticks(os.getpid()) or 0,
        since=time.strftime("%Y-%m-%d %H:%M:%S"),
        token=os.urandom(8).hex(),
    )


def read_record(folder: Path) -> OwnerRecord | None:
    """Return the record in a folder, or None; a torn one is of nobody known, elsewhere.

    Raises:
        ValueError: what is there is no file; a pipe would keep its reader waiting.
    """
    path = folder / OWNER_FILE
    if not path.is_file():
        if os.path.lexists(path):
            raise ValueError(f"{path}: wanted a file, got something else; remove it")
        return None
    try:
        return OwnerRecord(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, RecursionError):
        return OwnerRecord("an unknown machine", "", 0, 0, "?", "")


def record_text(record: OwnerRecord) -> str:
    """Return the content of the file."""
    return json.dumps(asdict(record), indent=2) + "\n"


def _machine() -> str:
    """Return what two processes share exactly if they can look at each other by number."""
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink(PROCESSES / 'self' / 'ns' / 'pid')}"
    except OSError:
        return ""
