"""How an attempt of a trial ended: the child's exit code -> a reason and what to do next.

Nothing is read or written here. The codes are those of `rrnn fit`.
"""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

PRUNED, TIMEOUT, HUNG, INTERRUPTED, LOST = "pruned", "timeout", "hung", "interrupted", "lost"
OOM, NAN, KILLED, PREEMPTED, ERROR = "oom", "nan", "killed", "preempted", "error"
CONFIG, DATA, REFUSED = "config", "data", "refused"
# the trial's options or the data are at fault: another trial will hardly do better
HOPELESS = (CONFIG, DATA, REFUSED)

_FINISHED, _PREEMPTED = 0, 75
_LOST_PROCESS = 76  # of a trial on several devices, or a data worker
_FINAL = {71: OOM, 79: NAN, 64: CONFIG, 65: DATA, 80: REFUSED}
# why the worker stopped the child -> what is done; the child's exit code says nothing then
_ASKED: dict[str, Literal["pruned", "fail", "retry"]] = {
    PRUNED: "pruned",
    TIMEOUT: "fail",
    INTERRUPTED: "retry",
    LOST: "retry",
}
_MOST_RETRIES = {KILLED: 3, HUNG: 1, ERROR: 1}


@dataclass(frozen=True)
class Ending:
    """What the end of an attempt means.

    Attributes:
        reason: short code, the same for all trials that ended alike.
        verdict: `retry` puts the trial back, the others end it.
        counted: whether a retry counts; those that the trial has no part in do not.
        detail: how the process ended, for people.
    """

    reason: str
    verdict: Literal["complete", "pruned", "fail", "retry"]
    counted: bool
    detail: str


def judge(exit_code: int, asked: str | None, earlier: Sequence[str]) -> Ending:
    """Return the ending of an attempt.

    A child that was asked to stop but came to its end first is complete.

    Args:
        exit_code: of the child; negative for the signal that killed it.
        asked: why the worker stopped the child: `pruned`, `timeout`, `hung`, `interrupted`,
            `lost`; None if it did not.
        earlier: reasons of the trial's earlier attempts.
    """
    detail = describe_exit(exit_code)
    if exit_code == _FINISHED:
        return Ending("", "complete", False, detail)
    if asked in _ASKED:
        return Ending(asked, _ASKED[asked], False, detail)
    if asked is None and exit_code == _PREEMPTED:
        return Ending(PREEMPTED, "retry", False, detail)
    if asked is None and exit_code in _FINAL:
        return Ending(_FINAL[exit_code], "fail", False, detail)
    reason = asked or (KILLED if exit_code < 0 or exit_code == _LOST_PROCESS else ERROR)
    if list(earlier).count(reason) < _MOST_RETRIES[reason]:
        return Ending(reason, "retry", True, detail)
    return Ending(reason, "fail", False, detail)


def describe_exit(exit_code: int) -> str:
    """Return `exit code 3` or `killed by SIGKILL`."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"killed by {signal.Signals(-exit_code).name}"
    except ValueError:  # a real-time signal has no name
        return f"killed by signal {-exit_code}"
