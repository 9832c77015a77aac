"""What a program and all its children take at their fullest: memory, and bytes of a folder."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_EVERY_S = 0.5
_FOLDER_EVERY_S = 2.0  # a folder of many files takes a while to walk through


@dataclass
class Peaks:
    """Highest figures seen.

    Attributes:
        rss: bytes of all processes together; pages that they share count once for each.
        largest_rss: bytes of the largest process.
        folder: bytes of the folder's files as the disk holds them.
    """

    rss: int = 0
    largest_rss: int = 0
    folder: int = 0


def run_watched(command: list[str], folder: Path, log: Path) -> tuple[float, Peaks]:
    """Run a program to its end; return its seconds and its peaks.

    Args:
        command: the program and its arguments.
        folder: whose bytes are watched; need not exist yet.
        log: gets what the program prints.

    Raises:
        OSError: the program failed; says its last line.
    """
    peaks = Peaks()
    started = time.monotonic()
    with open(log, "wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(child.pid, folder, peaks, ended))
        watcher.start()
        try:
            code = child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise
        finally:
            ended.set()
            watcher.join()
    if code:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().split("\n")
        raise OSError(f"{command[0]} ended with {code}: {lines[-1]} (all of it: {log})")
    return time.monotonic() - started, peaks


def _watch(pid: int, folder: Path, peaks: Peaks, ended: threading.Event) -> None:
    walked = 0.0
    while not ended.is_set():
        sizes = tree_rss(pid)
        peaks.rss = max(peaks.rss, sum(sizes))
        peaks.largest_rss = max(peaks.largest_rss, max(sizes, default=0))
        if time.monotonic() - walked >= _FOLDER_EVERY_S:
            peaks.folder = max(peaks.folder, folder_bytes(folder))
            walked = time.monotonic()
        ended.wait(_EVERY_S)


def tree_rss(pid: int) -> list[int]:
    """Return the resident bytes of a process and of all below it; only where there is /proc."""
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in _PROC.glob("[0-9]*"):
        try:
            # the name, in brackets, may hold blanks
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended in the meantime
        parents[int(entry.name)] = int(fields[1])
        resident[int(entry.name)] = int(fields[21]) * page
    tree = {pid}
    grown = True
    while grown:
        more = {child for child, parent in parents.items() if parent in tree} - tree
        tree |= more
        grown = bool(more)
    return [resident[member] for member in tree if member in resident]


def folder_bytes(folder: Path) -> int:
    """Return the bytes that the files below a folder take on the disk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_blocks * 512
            except OSError:
                continue  # renamed or gone in the meantime
    return total
