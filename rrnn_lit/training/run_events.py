"""`events.jsonl`: one line for each start and end of a run; never rewritten."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from rrnn_lit.training.effective_time import Event
from rrnn_lit.training.run_folder import METRICS_FILE

EVENTS_FILE = "events.jsonl"


def append_event(folder: Path, event: Event) -> None:
    """Add a line in one write, and have it on disk; a half line of a kill is ended first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / EVENTS_FILE
    line = json.dumps(asdict(event)).encode() + b"\n"
    with open(path, "a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            line = line if file.read(1) == b"\n" else b"\n" + line
        file.write(line)
        os.fsync(file.fileno())


def read_events(folder: Path) -> list[Event]:
    """Return the events in order; lines that a kill has torn are left out."""
    path = folder / EVENTS_FILE
    if not path.is_file():
        return []
    events = []
    for line in path.read_bytes().splitlines():
        try:
            events.append(Event(**json.loads(line)))
        except (ValueError, TypeError, RecursionError):
            continue
    return events


def read_logged_steps(folder: Path) -> list[tuple[int, int]]:
    """Return (life, step) of every line of `metrics.jsonl`, of steps done again as well.

    A damaged line is left out.
    """
    path = folder / METRICS_FILE
    if not path.is_file():
        return []
    steps = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            record = json.loads(line)
            steps.append((int(record["life"]), int(record["step"])))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
    return steps
