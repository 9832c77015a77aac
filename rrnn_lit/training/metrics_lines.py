"""Reads `metrics.jsonl`; imports nothing heavy, for processes that only look."""

import json
from pathlib import Path
from typing import Any


def metrics_record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Return a line of the file `path` as an object with `step` and `life`.

    Raises:
        ValueError: it is something else; names file and line.
    """
    try:
        record = json.loads(line)
        if not all(type(record[name]) is int for name in ("step", "life")):
            raise TypeError("step and life")
        return {"step": record["step"], "life": record["life"], **record}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        wanted = "wanted a JSON object with step and life"
        raise ValueError(f"{path}, line {number}: {wanted}, got {line[:40]!r}") from error


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a `metrics.jsonl` in order of steps, without repeated ones.

    A line counts as repeated when a later life logged at or before its step.

    Raises:
        ValueError: names the line that holds something else.
    """
    return effective_records(path, path.read_bytes())


def effective_records(path: Path, data: bytes) -> list[dict[str, Any]]:
    """Return as `read_metrics` what the file `path` holds or held; a half line is left out."""
    records: list[dict[str, Any]] = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        record = metrics_record(path, number, line)
        while (
            records
            and records[-1]["step"] >= record["step"]
            and (records[-1]["life"] < record["life"])
        ):
            records.pop()
        records.append(record)
    return records
