"""When a process of this machine started: that and its number name the process for good."""

from pathlib import Path

PROCESSES = Path("/proc")
_STATE, _START_TIME = 0, 19  # of the fields behind a process's name in its `stat`


def start_ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the boot.

    None if there is none, if only its exit code is left, or where the system does not say.
    """
    try:
        text = (PROCESSES / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # the name in brackets may hold spaces and brackets
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in ("Z", "X") else int(fields[_START_TIME])
