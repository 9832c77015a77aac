"""A mistake as one line on stderr; the trace behind it on request.

Which exit code a mistake gets is decided by the commands, not here. One is the same for all of
them: what a security rule refuses ends with 80, however many errors were made of it on the way.
"""

import os
import sys
import traceback

EXIT_REFUSED = 80
TRACE_VARIABLE = "RRNN_TRACEBACK"
# what torch raises when the exchange between processes breaks; gloo has no class of its own
_LOST = ("DistBackendError", "DistNetworkError", "DistStoreError")
_LOST_TEXTS = ("gloo/transport", "DataLoader worker (pid")


class UnsafeError(ValueError):
    """A security rule refuses an input: to take it could run code or reach what it must not.

    The text starts with `refused: ` and says the rule.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(f"refused: {rule}")
        self._rule = rule

    def __reduce__(self) -> tuple[type["UnsafeError"], tuple[str]]:
        """Let it travel between processes without a second `refused`."""
        return type(self), (self._rule,)


def refusal_behind(error: BaseException | None) -> UnsafeError | None:
    """Return the refusal of a security rule: the error itself or one among its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, UnsafeError):
            return error
        seen.add(id(error))
        error = error.__cause__
    return None


def complain(command: str, error: BaseException, code: int, text: str | None = None) -> int:
    """Print `rrnn COMMAND: TEXT` on stderr and return the exit code.

    With RRNN_TRACEBACK=1 the trace comes first: a programming error can look like a mistake.

    Args:
        command: subcommand of `rrnn`.
        error: what was raised.
        code: the exit code, unless a security rule is behind the error.
        text: what to say; None for the error's own text.
    """
    if os.environ.get(TRACE_VARIABLE, "0") not in ("", "0"):
        traceback.print_exception(error)
    line = " ".join((text or str(error)).split()) or type(error).__name__
    refusal = refusal_behind(error)
    if refusal is not None and str(refusal) not in line:
        line = f"{line}; {refusal}"
    print(f"rrnn {command}: {line}", file=sys.stderr)
    return code if refusal is None else EXIT_REFUSED


def is_lost_process(error: BaseException) -> bool:
    """Tell the death or silence of another process of a run: one that trains, or a data worker."""
    return type(error).__name__ in _LOST or any(text in str(error) for text in _LOST_TEXTS)


def is_lack_of_memory(error: BaseException) -> bool:
    """Tell torch's error for it: a class of its own on a GPU, a text on a CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )
