"""The parser of commands that do not go through Lightning: a mistake is an exception, not an exit.

Which exit code and line a mistake becomes is decided by the commands.
"""

import argparse
from typing import NoReturn


class BadCommandError(ValueError):
    """The command line, or a file it names for options, asks for what is not there."""


class Parser(argparse.ArgumentParser):
    """Raises what argparse would print before it ends the process."""

    def error(self, message: str) -> NoReturn:
        """Raise BadCommandError with the message."""
        raise BadCommandError(message.removeprefix("argument "))
