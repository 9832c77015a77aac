"""An entry of several processes, started as Lightning starts those of a run on several devices."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ENTRY = f"{__name__}:main"
FURTHER, LEFT = "further", "left"


def main(arguments: list[str]) -> int:
    folder, mode = Path(arguments[0]), arguments[1]
    if "LOCAL_RANK" in os.environ:
        return further(folder, mode)
    if mode == "saves":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
    spec = sys.modules["__main__"].__spec__
    assert spec is not None
    command = [sys.executable, "-m", spec.name, *sys.argv[1:]]
    process = subprocess.Popen(command, env={**os.environ, "LOCAL_RANK": "1"})
    # one that knows nothing of its parent
    note(folder, LEFT, subprocess.Popen(["sleep", "60"]).pid)
    while not (folder / FURTHER).exists():
        time.sleep(0.01)
    if mode == "fails":
        time.sleep(0.5)
        return 79 if process.poll() is None else 1
    if mode == "ends":
        process.wait()
        return 0
    while True:
        signal.pause()


def further(folder: Path, mode: str) -> int:
    signal.signal(signal.SIGTERM, lambda *_: note(folder, "asked", 0))
    note(folder, FURTHER, os.getpid())
    if mode in ("ends", "fails"):
        return 0 if mode == "ends" else 79
    while True:
        signal.pause()


def note(folder: Path, name: str, number: int) -> None:
    part = folder / f"{name}.part"
    part.write_text(str(number), encoding="utf-8")
    part.replace(folder / name)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits for its parent does not."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return not stat.exists() or stat.read_text(encoding="utf-8").rpartition(")")[2][1] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
