"""The options of each `rrnn sweep` command."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from rrnn_lit.command_line import BadCommandError, Parser

_BEATS_OF_GRACE = 4  # one may be late, one lost
_MOST = 2**53  # as in a study file
_GPU = r"\s*(\d+|(GPU|MIG)-[\w./-]+)\s*"
_GPUS = re.compile(rf"auto|none|{_GPU}(,{_GPU})*", re.ASCII)


def _whole(least: int, most: int = _MOST) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number > most:
            raise argparse.ArgumentTypeError(f"wanted a whole number up to {most}, got {text!r}")
        if number < least:
            raise argparse.ArgumentTypeError(
                f"wanted a whole number of at least {least}, got {text!r}"
            )
        return number

    return read


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"wanted seconds above 0, got {text!r}")
    return number


def _gpus(text: str) -> str:
    if not _GPUS.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"wanted auto, none or numbers or GPU-... names with commas between, got {text!r}"
        )
    return text


def _folder(text: str) -> Path:
    """Return a folder that is there or can be made, as far as its name tells."""
    path = Path(text)
    try:
        there = next(place for place in (path, *path.parents) if place.exists())
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"wanted a folder, got {text[:100]!r}: {error.strerror}"
        ) from error
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f"wanted a folder, got the file {there}")
    return path


def _host_options(parser: Parser) -> None:
    parser.add_argument(
        "--workers",
        type=_whole(1),
        default=1,
        metavar="K",
        help="trials at a time on this machine (default: 1)",
    )
    parser.add_argument(
        "--out",
        type=_folder,
        default="runs/sweeps",
        metavar="FOLDER",
        help="gets a folder for the study (default: runs/sweeps)",
    )
    parser.add_argument(
        "--threads",
        type=_whole(1),
        default=None,
        metavar="N",
        help="of each trial (default: cores / workers)",
    )
    parser.add_argument(
        "--gpus",
        type=_gpus,
        default="auto",
        metavar="LIST",
        help="0,1: workers take these in turn; auto: all; none (default: auto)",
    )
    parser.add_argument(
        "--beat",
        type=_seconds,
        default=10.0,
        metavar="SECONDS",
        help="how often a worker says that it lives (default: 10)",
    )
    _grace_option(parser)
    parser.add_argument(
        "--stop-grace",
        type=_seconds,
        default=120.0,
        metavar="SECONDS",
        help="how long a trial may save when it is stopped (default: 120)",
    )


def check_host_options(given: argparse.Namespace) -> None:
    """Refuse a grace time in which a living worker may not come to beat.

    Raises:
        BadCommandError: it is below four times the interval of the beats.
    """
    if given.grace < _BEATS_OF_GRACE * given.beat:
        raise BadCommandError(
            f"--grace: wanted at least {_BEATS_OF_GRACE} times the {given.beat:g} s of --beat,"
            f" got {given.grace:g} s"
        )


def _grace_option(parser: Parser) -> None:
    parser.add_argument(
        "--grace",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="silence after which a worker is dead (default: 60)",
    )


def _name_option(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the study")


def describe_run(parser: Parser) -> None:
    """Add the options of `rrnn sweep run`."""
    parser.add_argument("study", metavar="STUDY.yaml", type=Path, help="study file")
    parser.add_argument("--name", default=None, help="of the study (default: the file's name)")
    parser.add_argument(
        "--trials",
        type=_whole(1),
        default=None,
        metavar="N",
        help="results wanted (default: stopping.trials)",
    )
    parser.add_argument(
        "--seed",
        type=_whole(0),
        default=None,
        metavar="N",
        help="of the study's draws (default: the file's)",
    )
    _set_option(parser, "an option of all trials, part of what the study is; repeatable")
    _host_options(parser)


def _set_option(parser: Parser, text: str) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help=text)


def describe_extend(parser: Parser) -> None:
    """Add the options of `rrnn sweep extend`."""
    _name_option(parser)
    parser.add_argument(
        "--best",
        type=_whole(1),
        required=True,
        metavar="M",
        help="so many of the best complete trials go on",
    )
    parser.add_argument(
        "--steps",
        type=_whole(1),
        required=True,
        metavar="S",
        help="trainer.max_steps they go on to",
    )
    _host_options(parser)


def describe_promote(parser: Parser) -> None:
    """Add the options of `rrnn sweep promote`."""
    _name_option(parser)
    parser.add_argument(
        "--base",
        type=Path,
        required=True,
        metavar="CONFIG.yaml",
        help="config with everything the study did not search",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    parser.add_argument(
        "--trial",
        type=_whole(0),
        default=None,
        metavar="N",
        help="number of the trial (default: the best)",
    )
    _set_option(parser, "an option that wins over base and trial; repeatable")
    _force_option(parser)


def _force_option(parser: Parser) -> None:
    parser.add_argument("--force", action="store_true", help="replace what is there")


def describe_show(parser: Parser) -> None:
    """Add the options of `rrnn sweep show`."""
    parser.add_argument("name", metavar="NAME", nargs="?", default=None, help="of the study")
    parser.add_argument("--all", action="store_true", help="also why each failed trial failed")


def describe_export(parser: Parser) -> None:
    """Add the options of `rrnn sweep export`."""
    _name_option(parser)
    parser.add_argument(
        "--out", type=_folder, required=True, metavar="FOLDER", help="gets the files"
    )
    _force_option(parser)


def describe_plots(parser: Parser) -> None:
    """Add the options of `rrnn sweep plots`."""
    _name_option(parser)
    parser.add_argument(
        "--out", type=_folder, required=True, metavar="FOLDER", help="gets the files"
    )
    parser.add_argument("--html", action="store_true", help="one HTML file each, no PNG")


def describe_compare(parser: Parser) -> None:
    """Add the options of `rrnn sweep compare`."""
    parser.add_argument(
        "names", metavar="NAME", nargs="+", help="of the studies, the yardstick first"
    )
    parser.add_argument(
        "--out", type=Path, default=None, metavar="FILE.png", help="also draw them"
    )


def describe_dashboard(parser: Parser) -> None:
    """Add the options of `rrnn sweep dashboard`."""
    parser.add_argument("--port", type=_whole(0), default=8080, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")


def describe_delete(parser: Parser) -> None:
    """Add the options of `rrnn sweep delete`."""
    _name_option(parser)
    parser.add_argument(
        "--yes",
        action="store_true",
        required=True,
        help="its trials and their values are gone then; the folders of its runs stay",
    )


def describe_reap(parser: Parser) -> None:
    """Add the options of `rrnn sweep reap`."""
    _name_option(parser)
    _grace_option(parser)
