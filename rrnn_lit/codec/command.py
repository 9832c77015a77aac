"""What `rrnn encode`, `decode`, `compress`, `decompress` and the commands on models share.

Exit codes: 0 done, 64 bad command line, 65 bad input, 71 out of memory, 74 cannot write; 130
(interrupted) and 141 (the reader of a pipe has gone) are given by `cli.py`.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rrnn_lit.codec.output_files import STANDARD, check_place, drop_output
from rrnn_lit.codec.rows import DEFAULT_BATCH_SIZE, RowError
from rrnn_lit.codec.text_lines import name_of
from rrnn_lit.codec.vector_blocks import Block
from rrnn_lit.codec.vector_files import check_vector_file, reading, writing
from rrnn_lit.command_line import BadCommandError, Parser
from rrnn_lit.complaints import complain, is_lack_of_memory

BAD_COMMAND, BAD_INPUT, OUT_OF_MEMORY, CANNOT_WRITE = 64, 65, 71, 74
BATCHES_OF_A_BLOCK = 32  # sentences of like length are computed together within a block
_SECONDS_BETWEEN = 5.0
_LARGEST = 10**9  # beyond all sense; products of it still fit 64 bits


def whole(text: str) -> int:
    """Return a whole number of at least 1 from a command line."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"wanted a whole number of at least 1, got {text!r}")
    if number > _LARGEST:
        raise argparse.ArgumentTypeError(
            f"wanted a whole number of at most {_LARGEST}, got {text!r}"
        )
    return number


def vector_file(text: str) -> str:
    """Return a name of a file of vectors from a command line."""
    try:
        return check_vector_file(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def make_parser(command: str, description: str) -> Parser:
    """Return a parser with the options of all four commands."""
    parser = Parser(
        prog=f"rrnn {command}", description=description, allow_abbrev=False, add_help=True
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="folder that `rrnn export` wrote")
    parser.add_argument(
        "--device", default="cpu", metavar="NAME", help="cpu, cuda or cuda:N (default: cpu)"
    )
    parser.add_argument(
        "--batch-size",
        type=whole,
        default=DEFAULT_BATCH_SIZE,
        metavar="N",
        help=f"most sentences computed at once (default: {DEFAULT_BATCH_SIZE})",
    )
    return parser


def add_dtype(parser: Parser) -> None:
    """Add the option for the precision of encoder and decoder."""
    parser.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="precision of products; auto: float32 on a CPU, float16 on CUDA (default: auto)",
    )


def add_vectors_out(parser: Parser) -> None:
    """Add the option for a file of vectors to write."""
    parser.add_argument(
        "--out",
        type=vector_file,
        required=True,
        metavar="FILE",
        help=".npy or .parquet; - writes .npy arrays, one a block, into a pipe",
    )


def run_command(command: str, run: Callable[[], None]) -> int:
    """Run a command and return its exit code; a mistake becomes one line on stderr.

    Raises:
        BrokenPipeError: the reader has enough, which is no mistake.
    """
    try:
        run()
        print(end="", flush=True)
    except BadCommandError as error:
        return complain(command, error, BAD_COMMAND)
    except ValueError as error:
        return complain(command, error, BAD_INPUT)
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        return complain(command, error, CANNOT_WRITE, f"cannot read or write: {error}")
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        text = f"out of memory; lower --batch-size: {error}"
        return complain(command, error, OUT_OF_MEMORY, text)
    return 0


def check_vectors_out(out: str) -> None:
    """Refuse at the start a place for vectors that would be refused at the end.

    Raises:
        BadCommandError: `out` is standard output and that is a terminal.
        OSError: the file could not be written.
    """
    if out != STANDARD:
        check_place(Path(out))
    elif sys.stdout.isatty():
        raise BadCommandError("--out: wanted a file or a pipe for vectors, got a terminal")


class Progress:
    """Tells on stderr how far a command has come, every few seconds and at the end.

    Args:
        command: its name.
        things: what is counted.
    """

    def __init__(self, command: str, things: str) -> None:
        self._command, self._things = command, things
        self._start = self._said = time.monotonic()
        self.done = 0

    def add(self, number: int) -> None:
        """Count things that are done."""
        self.done += number
        if time.monotonic() - self._said >= _SECONDS_BETWEEN:
            self._said = time.monotonic()
            self.say()

    def say(self) -> None:
        """Print the line."""
        seconds = max(time.monotonic() - self._start, 1e-9)
        text = f"rrnn {self._command}: {self.done:,} {self._things} in {seconds:.1f} s"
        print(f"{text}, {self.done / seconds:,.0f} a second", file=sys.stderr, flush=True)


def row_in_file(name: str, before: int, error: RowError, line: str) -> ValueError:
    """Return the error with the place in a file instead of that in a block.

    Args:
        name: of the file.
        before: rows of earlier blocks.
        error: of a row of this block.
        line: what rows are called there.
    """
    problem = error.problem.replace('longer="encode"', "--longer encode")
    return ValueError(f"{name}, {line} {before + error.row + 1}: {problem}")


def run_conversion(
    command: str,
    options: list[str],
    description: str,
    make: Callable[[argparse.Namespace], tuple[Callable[[Block], Block], Block]],
) -> int:
    """Run a command that makes a row of each row of vectors, and return its exit code.

    Args:
        command: its name.
        options: its command line.
        description: for its help.
        make: from options to the function of a block and an empty result, whose width and type
            all results have.
    """
    parser = make_parser(command, description)
    parser.add_argument(
        "vectors",
        metavar="VECTORS",
        nargs="?",
        type=vector_file,
        default=STANDARD,
        help=".npy or .parquet; - reads .npy arrays one behind the other (default: -)",
    )
    add_vectors_out(parser)
    return run_command(command, lambda: _convert(command, parser.parse_args(options), make))


def _convert(
    command: str,
    given: argparse.Namespace,
    make: Callable[[argparse.Namespace], tuple[Callable[[Block], Block], Block]],
) -> None:
    check_vectors_out(given.out)
    function, empty = make(given)
    progress = Progress(command, "vectors")
    with writing(given.out, empty.shape[1], empty.dtype) as writer:
        for block in reading(given.vectors, BATCHES_OF_A_BLOCK * given.batch_size):
            try:
                writer.write(function(block))
            except RowError as error:
                raise row_in_file(name_of(given.vectors), progress.done, error, "row") from error
            except ValueError as error:
                raise ValueError(f"{name_of(given.vectors)}: {error}") from error
            progress.add(len(block))
    progress.say()
