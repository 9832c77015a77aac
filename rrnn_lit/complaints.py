"""A mistake as one line on stderr; the trace behind it on request.

Which exit code a mistake gets is decided by the commands, not here.
"""

import os
import sys
import traceback

TRACE_VARIABLE = "RRNN_TRACEBACK"


def complain(command: str, error: BaseException, code: int, text: str | None = None) -> int:
    """Print `rrnn COMMAND: TEXT` on stderr and return `code`.

    With RRNN_TRACEBACK=1 the trace comes first: a programming error can look like a mistake.

    Args:
        command: subcommand of `rrnn`.
        error: what was raised.
        code: the exit code.
        text: what to say; None for the error's own text.
    """
    if os.environ.get(TRACE_VARIABLE, "0") not in ("", "0"):
        traceback.print_exception(error)
    line = " ".join((text or str(error)).split()) or type(error).__name__
    print(f"rrnn {command}: {line}", file=sys.stderr)
    return code


def is_lack_of_memory(error: BaseException) -> bool:
    """Tell torch's error for it: a class of its own on a GPU, a text on a CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )
