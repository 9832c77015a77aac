"""The command `rrnn sweep`: commands, options, one-line errors, exit codes.

Exit codes: 0 done, 64 bad command line or study file, 65 bad input such as a database that is not
there, 74 cannot write, 75 stopped by SIGTERM or SIGUSR1, 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rrnn_lit.command_line import BadCommandError, Parser
from rrnn_lit.complaints import complain
from rrnn_lit.search import command_options
from rrnn_lit.search.stop_signals import StoppedError, raise_on_signals

if TYPE_CHECKING:
    from rich.console import Console

COMMAND = "sweep"
BAD_COMMAND, BAD_INPUT, CANNOT_WRITE, STOPPED, INTERRUPTED = 64, 65, 74, 75, 130
DEFAULT_STORAGE = "sqlite:///runs/sweeps/studies.db"
_KEPT = "trials that were running are kept, the same command goes on"
_HELP = """\
usage: rrnn sweep COMMAND [options]

  run        run the trials of a study file; the same command goes on with an unfinished study
  extend     let the best trials of a study go on to more steps, as a study of their own
  promote    write a config for a full run with the options of a trial
  show       trials of a study, best first; without a name the studies that there are
  export     trials.csv, trials.json and best.yaml
  plots      pictures of a study
  compare    which of several studies was sooner as good as the first
  dashboard  look at the studies in a browser
  delete     take a study out of the database; the folders of its runs stay
  reap       put trials of dead workers back now; a running sweep does so by itself

Studies live in a database: --storage URL, else the variable RRNN_STORAGE, else
sqlite:///runs/sweeps/studies.db for one worker. `rrnn sweep COMMAND --help` lists the options.
"""


def main(arguments: list[str]) -> int:
    """Run `rrnn sweep` with these arguments and return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_HELP, end="")
        return 0
    try:
        with raise_on_signals():
            return _act(_parse(arguments))
    except SystemExit as end:  # --help of a command
        return int(end.code or 0)
    except BadCommandError as error:
        return complain(COMMAND, error, BAD_COMMAND)
    except ValueError as error:
        return complain(COMMAND, error, BAD_INPUT)
    except OSError as error:
        return complain(COMMAND, error, CANNOT_WRITE)
    except StoppedError as stop:
        return complain(COMMAND, stop, STOPPED, f"stopped by {stop}{_advice(arguments)}")
    except KeyboardInterrupt as interruption:
        kept = f"; {_KEPT}" if interruption.args else _advice(arguments)
        return complain(COMMAND, interruption, INTERRUPTED, f"interrupted{kept}")
    except Exception as error:
        if not _is_database_error(error):
            raise
        return complain(COMMAND, error, BAD_INPUT, f"storage: {_first_line(error)}")


def _act(given: argparse.Namespace) -> int:
    code = int(given.act(given))
    if code == STOPPED:
        print(f"rrnn {COMMAND}: stopped; {_KEPT}", file=sys.stderr)
    return code


def _advice(arguments: Sequence[str]) -> str:
    return "; the same command goes on" if arguments[0] in ("run", "extend") else ""


def _is_database_error(error: Exception) -> bool:
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    return isinstance(error, StorageInternalError | SQLAlchemyError)


def _first_line(error: BaseException) -> str:
    from rrnn_lit.search.storage import masked

    cause = error.__cause__ or error
    return masked((str(cause).splitlines() or [type(cause).__name__])[0])


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    command, *rest = arguments
    if command not in _COMMANDS:
        raise BadCommandError(f"COMMAND: wanted one of {', '.join(_COMMANDS)}, got {command!r}")
    describe, act = _COMMANDS[command]
    parser = Parser(prog=f"rrnn sweep {command}", allow_abbrev=False)
    describe(parser)
    parser.add_argument(
        "--storage",
        metavar="URL",
        default=os.environ.get("RRNN_STORAGE") or DEFAULT_STORAGE,
        help="sqlite:///FILE for one worker, postgresql://... for any number",
    )
    given = parser.parse_args(rest)
    given.act = act
    return given


def _console() -> "Console":
    from rich.console import Console

    # in a pipe rich would take 80 columns and fold the tables
    return Console(width=None if sys.stdout.isatty() else 500)


def _do(name: str) -> Callable[[argparse.Namespace], int]:
    """Return a function of `commands.py`, which is loaded when it is called."""

    def act(given: argparse.Namespace) -> int:
        from rrnn_lit.search import commands

        return int(getattr(commands, name)(given, _console()))

    return act


_Describe = Callable[[Parser], None]
_Act = Callable[[argparse.Namespace], int]
_COMMANDS: dict[str, tuple[_Describe, _Act]] = {
    "run": (command_options.describe_run, _do("run")),
    "extend": (command_options.describe_extend, _do("extend_study")),
    "promote": (command_options.describe_promote, _do("promote_trial")),
    "show": (command_options.describe_show, _do("show")),
    "export": (command_options.describe_export, _do("export_study")),
    "plots": (command_options.describe_plots, _do("plot")),
    "compare": (command_options.describe_compare, _do("compare")),
    "dashboard": (command_options.describe_dashboard, _do("dashboard")),
    "delete": (command_options.describe_delete, _do("delete")),
    "reap": (command_options.describe_reap, _do("reap")),
}
