"""What the files of an attempt say about its end."""

import json
import math
from pathlib import Path

from rrnn_lit.search.endings import ERROR, NAN, Ending
from rrnn_lit.search.trial_log import TrialLog
from rrnn_lit.training.run_folder import METRICS_FILE, SUMMARY_FILE

_DETAIL_LINES, _DETAIL_CHARACTERS = 20, 4000


def with_value(ending: Ending, log: TrialLog, metric: str) -> Ending:
    """Return the ending; a complete trial without a value to compare becomes a failure."""
    value = log.last.get(metric)
    if ending.verdict != "complete" or (value is not None and math.isfinite(value)):
        return ending
    if value is None:
        return Ending(ERROR, "fail", False, f"no value of {metric} in {METRICS_FILE}")
    return Ending(NAN, "fail", False, f"the last value of {metric} is {value}")


def size_of(path: Path) -> int:
    """Return the size of a file, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def describe_end(ending: Ending, log_file: Path, begin: int) -> str:
    """Return the ending and the last lines that the attempt wrote.

    Args:
        ending: of the attempt.
        log_file: of all attempts.
        begin: its size before the attempt.
    """
    lines = _last_lines(log_file, begin)
    return f"{ending.detail}\n{lines}"[-_DETAIL_CHARACTERS:].strip()


def early_end(folder: Path, steps: int) -> str | None:
    """Return why a finished run has fewer steps than it was given; None if it has all of them.

    The run's own stopping rule ended it. In a later rung it may have made no step beyond the rung
    below: its value is then that of the rung below, which is what more steps would have brought.
    """
    try:
        summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
        done, reason = int(summary["steps"]), str(summary["stop_reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return f"ended at step {done} of {steps}: {reason}" if done < steps else None


def _last_lines(path: Path, begin: int) -> str:
    if not path.exists():
        return ""
    with open(path, "rb") as file:
        file.seek(max(begin, size_of(path) - _DETAIL_LINES * _DETAIL_CHARACTERS))
        text = file.read().decode(errors="replace")
    return "\n".join(text.rstrip().split("\n")[-_DETAIL_LINES:])
