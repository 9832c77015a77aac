"""The command `rrnn bench`: options of each case, one-line errors, exit codes, table and files.

Exit codes: 0 done, 64 bad command line, 65 bad input, 74 cannot write, 130 interrupted. Files are
written at the end, complete or not at all.
"""

import os
import re
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from rrnn_lit.command_line import BadCommandError
from rrnn_lit.complaints import complain, is_lack_of_memory

COMMAND = "bench"
BAD_COMMAND, BAD_INPUT, CANNOT_WRITE, INTERRUPTED = 64, 65, 74, 130
# case -> module, loaded when the case is asked for
_CASES = {
    "step": "iteration",
    "match": "matching",
    "rnn": "recurrent",
    "memory": "memory",
    "data": "pipeline",
    "codec": "codec",
    "text": "text_speed",
    "prepare": "prepare",
}
# case -> options that memory grows with
_SIZES = {
    "step": "--hidden_size, --batch_size or --vocab_size",
    "match": "--rows, --vocab_size or --word_dim",
    "rnn": "--hidden_size, --batch_size or --num_steps",
    "memory": "--probe_size, --probe_vocab_size or --batch_size",
    "data": "--sentences, --largest or --batch_size",
    "codec": "--sentences, --hidden_size or --vocab_size",
    "text": "--sentences, --warm_up or --repeats",
    "prepare": "--sizes or --processes",
}
# what torch and numpy say of sizes whose bytes they cannot even count
_UNCOUNTABLE = ("overflow", "array is too big", "maximum allowed dimension")
_HELP = """\
usage: rrnn bench CASE [options] [--json FILE] [--threads N] [--scale [--out FOLDER]]

Times our parts beside their peers in one process and tells beside each time how right it is.

  step       a whole training step beside the naive port, the autograd loop, GRU and LSTM
  match      is the target the nearest word? beside matmul, faiss, gensim, KeOps
  rnn        one recurrent layer, forward and backward, beside the loop, LSTM, GRU, RNN
  memory     bytes of a training run by part
  data       making batches, padded share, speed against text size
  codec      text to words, to vectors and back; sentences a second
  text       raw text to words beside every step for itself, nltk and py3langid
  prepare    the whole of `rrnn prepare` at growing sizes: speed, memory, disk; draws the growth

  --json FILE     also write the rows as a JSON list (default: none)
  --threads N     threads, at most as many as the machine has (default: 1)
  --scale         step, match, rnn: let each size grow and draw the cost
  --out FOLDER    where --scale writes CASE_scale.png and CASE_scale.json (default: .)

The column `correct`: match, ADAM, recurrent layers and, in step, the networks that compute what
ours does are compared with float64; a GRU or LSTM network is another model and is not. Of batches
it tells whether each sentence came once, of memory whether the computed bytes were measured.

`rrnn bench CASE --help` lists the options of a case.
"""
_CASE_HELP = "Median times; `times ours` is the peer's time over ours, above 1 we are faster."


@dataclass(frozen=True)
class _Request:
    """A checked command line.

    Attributes:
        case: name of the case.
        run: the case's function.
        options: its argument.
        json: file to write; None for none.
        threads: threads of the processor.
        scale: whether sizes grow.
        out: folder for the files of `scale`.
    """

    case: str
    run: Callable[[Any], list[Any]]
    options: Any
    json: str | None
    threads: int
    scale: bool
    out: Path


def main(arguments: list[str]) -> int:
    """Run `rrnn bench` with these arguments and return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_HELP, end="")
        return 0
    try:
        _run(_parse(arguments))
    except BadCommandError as error:
        return complain(COMMAND, error, BAD_COMMAND)
    except OSError as error:
        return complain(COMMAND, error, CANNOT_WRITE)
    except KeyboardInterrupt as interruption:
        return complain(COMMAND, interruption, INTERRUPTED, "interrupted; nothing was written")
    except Exception as error:
        text = _lack_of_memory(arguments[0], error)
        if text is None and not isinstance(error, ValueError):
            raise
        return complain(COMMAND, error, BAD_INPUT, text)
    return 0


def _lack_of_memory(case: str, error: Exception) -> str | None:
    """Return what to say if sizes were too large for this machine; None for anything else."""
    uncountable = any(words in str(error).lower() for words in _UNCOUNTABLE)
    if not uncountable and not (
        isinstance(error, MemoryError | RuntimeError) and is_lack_of_memory(error)
    ):
        return None
    return f"out of memory; lower {_SIZES[case]}: {error}".rstrip(": ")  # MemoryError may be mute


def _parse(arguments: list[str]) -> _Request:
    """Return what the command line asks for."""
    case = arguments[0]
    if case not in _CASES:
        raise BadCommandError(f"CASE: wanted one of {', '.join(_CASES)}, got {case!r}")
    from jsonargparse import ArgumentError, ArgumentParser

    run = import_module(f"rrnn_lit.bench.{_CASES[case]}").run
    options_type = typing.get_type_hints(run)["options"]
    parser = ArgumentParser(prog=f"rrnn bench {case}", description=_CASE_HELP, exit_on_error=False)
    parser.add_class_arguments(options_type)
    parser.add_argument("--json", type=str | None, default=None, help="write the rows there")
    parser.add_argument("--threads", type=int, default=1, help="threads of the processor")
    parser.add_argument("--scale", action="store_true", help="let each size grow, draw the cost")
    parser.add_argument("--out", type=str, default=".", help="folder for what --scale writes")
    try:
        given = parser.parse_args(arguments[1:])
        values = {name: given[name] for name in options_type.__dataclass_fields__}
        return _check(
            _Request(
                case=case,
                run=run,
                options=options_type(**values),
                json=given.json,
                threads=given.threads,
                scale=given.scale,
                out=Path(given.out),
            )
        )
    except (ArgumentError, ValueError) as error:
        raise BadCommandError(_readable(str(error))) from error


def _readable(message: str) -> str:
    """Return jsonargparse's refusal of a value in the words of our own."""
    found = re.search(
        r'Parser key "(\w+)": Expected an? (.+?)\. Got value:\s?(.*)', " ".join(message.split())
    )
    if found is None:
        return message
    name, wanted, got = found.groups()
    wanted = re.sub(r"<class '(\w+)'>", r"\1", wanted).replace("typing.Literal", "one of ")
    return f"--{name}: wanted {wanted}, got {got or repr('')}"


def _check(request: _Request) -> _Request:
    """Refuse before minutes are spent what could not be finished."""
    most = os.cpu_count() or 1
    if not 1 <= request.threads <= most:
        raise ValueError(f"--threads: wanted a number from 1 to {most}, got {request.threads}")
    if request.json in ("", "-"):
        raise ValueError(f"--json: wanted the path of a file, got {request.json!r}")
    if request.scale:
        from rrnn_lit.bench.scaling import AXES

        if request.case not in AXES:
            wanted = ", ".join(AXES)
            raise ValueError(f"--scale: wanted one of the cases {wanted}, got {request.case}")
    return request


def _run(request: _Request) -> None:
    import torch
    from rich.console import Console

    from rrnn_lit.bench.result import print_rows, write_rows

    _want_writable(request)
    # in a pipe rich would take 80 columns
    console = Console(width=None if sys.stdout.isatty() else 100)
    before = torch.get_num_threads()
    torch.set_num_threads(request.threads)
    try:
        rows = _scaled(request) if request.scale else request.run(request.options)
    finally:
        torch.set_num_threads(before)
    print_rows(rows, console)
    if request.json is not None:
        write_rows(Path(request.json), rows)


def _scaled(request: _Request) -> list[Any]:
    from rrnn_lit.bench import scaling

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    points = scaling.measure(request.case, request.run, request.options, say)
    for path in scaling.write(request.case, points, request.out):
        say(f"written: {path}")
    return scaling.rows_of(points)


def _want_writable(request: _Request) -> None:
    """Raise OSError for a place where a file could not be written at the end."""
    if request.json is not None:
        _want_file("--json", Path(request.json))
    if request.scale:
        from rrnn_lit.bench.scaling import files_of

        _want_folder(request.out)
        if request.out.exists():
            for path in files_of(request.case, request.out):
                _want_file("--out", path)


def _want_file(option: str, path: Path) -> None:
    target = Path(os.path.realpath(path))
    # after `realpath` only a link in a circle is still one
    if (path.exists() and not path.is_file()) or target.is_symlink():
        raise OSError(f"{option}: wanted a regular file, got {path}")
    if target.exists() and not os.access(target, os.W_OK):
        raise OSError(f"{option}: wanted a regular file that may be written, got {path}")
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK | os.X_OK):
        raise OSError(f"{option}: wanted a file in a writable folder, got {path}")


def _want_folder(folder: Path) -> None:
    """Raise OSError unless files can be written there, after making it if it is missing."""
    if folder.exists() and not folder.is_dir():
        raise OSError(f"--out: wanted a folder, got the file {folder}")
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise OSError(f"--out: wanted a writable folder, got {folder} ({nearest} is not)")
