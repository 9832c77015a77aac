"""Stand-ins for the standard streams of a command, which tests fill and read."""

import io
import sys
from collections.abc import Callable

import pytest


class Stream(io.TextIOWrapper):
    """A text stream over bytes in memory."""

    def __init__(self, content: bytes = b"") -> None:
        self.bytes = io.BytesIO(content)
        super().__init__(self.bytes, encoding="utf-8")


def piped(
    monkeypatch: pytest.MonkeyPatch,
    main: Callable[[list[str]], int],
    options: list[str],
    given: bytes,
) -> bytes:
    """Return what a command writes to standard output; it must succeed."""
    stdin, stdout = Stream(given), Stream()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", stdin)
        patch.setattr(sys, "stdout", stdout)
        assert main(options) == 0
    return stdout.bytes.getvalue()
