"""Follows the `metrics.jsonl` of a trial while its child writes it.

The file is the only way in which figures reach the worker. Lines of another kind are passed over:
a trial is not to fail for them.
"""

import json
import math
from pathlib import Path
from typing import Any

_NO_FIGURES = ("step", "time", "life")


class TrialLog:
    """Values of one metric by step, as they come in.

    Args:
        path: the trial's `metrics.jsonl`; it may not be there yet.
        metric: key of the objective.
        most_steps: lines of later steps are passed over, as if the run had ended there.

    Attributes:
        last: last value of every figure so far.
        lines: complete lines seen so far.
        step: step of the last line; 0 before it.
    """

    def __init__(self, path: Path, metric: str, most_steps: float = math.inf) -> None:
        self.last: dict[str, float] = {}
        self.lines = 0
        self.step = 0
        self._path = path
        self._metric = metric
        self._most_steps = most_steps
        self._offset = 0
        self._last_step = -1

    def new_values(self) -> list[tuple[int, float]]:
        """Return (step, value) of the metric in lines that were completed since the last call.

        Steps ascend over all calls: those that a resumed run repeats are left out.
        """
        values = []
        for record in self._new_records():
            step = record["step"]
            if step > self._most_steps:
                continue
            figures = _figures(record)
            self.last.update(figures)
            self.step = step
            if self._metric in figures and step > self._last_step:
                self._last_step = step
                values.append((step, figures[self._metric]))
        return values

    def _new_records(self) -> list[dict[str, Any]]:
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        data = data[: data.rfind(b"\n") + 1]  # a line without its end is still being written
        self._offset += len(data)
        lines = data.split(b"\n")[:-1]
        self.lines += len(lines)
        return [record for record in map(_record, lines) if record is not None]


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if isinstance(record, dict) and isinstance(record.get("step"), int):
        return record
    return None


def _figures(record: dict[str, Any]) -> dict[str, float]:
    numbers = {k: v for k, v in record.items() if isinstance(v, int | float)}
    return {k: float(v) for k, v in numbers.items() if k not in _NO_FIGURES}
