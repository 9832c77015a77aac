"""The `rrnn` command. Each subcommand loads only what it needs."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rrnn_lit.complaints import complain, is_lack_of_memory, is_lost_process

if TYPE_CHECKING:
    from rrnn_lit.training.stop_signals import StopSignals

EXIT_FAILED = 1  # a programming error: its trace is shown
EXIT_BAD_CONFIG = 64
EXIT_BAD_INPUT = 65
EXIT_OUT_OF_MEMORY = 71
EXIT_OWNED = 73  # the run's folder, by another process
EXIT_CANNOT_WRITE = 74
EXIT_STOPPED = 75  # by a signal, after saving
EXIT_LOST_PROCESS = 76  # another process of the run has died or hangs
EXIT_NOT_FINITE = 79
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141  # as a shell counts SIGPIPE

_HELP = """\
usage: rrnn COMMAND [options]

  prepare      raw text -> dictionary of word vectors and splits of word ids
  separate     a prepared folder -> the same with near-identical word vectors pushed apart
  fit          train an autoencoder or a compressor; --resume RUN goes on with an unfinished run
  validate     count matched words of a run on tune and test; --run RUN
  test         count matched words of a run on holdout; --run RUN
  predict      write sentence vectors and decoded words of a split; --run RUN
  sweep        run a study over many trainings, watch it, extend its best: run, show, ...
  compare      train variants of one config at one budget: a table and a picture
  report       a page about runs or bundles: figures, pictures, error categories
  export       a run -> a bundle: one folder that holds all the vectors mean
  ratio        accuracy against bytes per vector: compressors beside PCA, rounding, PQ
  encode       text -> sentence vectors, by a bundle
  decode       sentence vectors -> text
  compress     sentence vectors -> shorter ones
  decompress   the way back
  similar      the sentences of a file that are nearest to a sentence
  interpolate  the sentences between two sentences
  sts          correlation of cosines with human similarity scores of a file
  bench        time our parts beside their peers: step, match, rnn, data, codec, text, prepare

`rrnn COMMAND --help` lists the options; `rrnn fit --config FILE --print_config` shows them all
with their values.
"""
_LIGHTNING_COMMANDS = ("fit", "validate", "test", "predict")
# command -> module with `main(options) -> exit code`, loaded when it is asked for
_COMMANDS = {
    "prepare": "rrnn_lit.data.prepare_cli",
    "separate": "rrnn_lit.data.separate_cli",
    "sweep": "rrnn_lit.search.cli",
    "bench": "rrnn_lit.bench.cli",
    "compare": "rrnn_lit.evaluation.compare_cli",
    "report": "rrnn_lit.evaluation.report_cli",
    "ratio": "rrnn_lit.evaluation.ratio_cli",
    "export": "rrnn_lit.evaluation.export_cli",
    "encode": "rrnn_lit.codec.encode_cli",
    "decode": "rrnn_lit.codec.decode_cli",
    "compress": "rrnn_lit.codec.compress_cli",
    "decompress": "rrnn_lit.codec.decompress_cli",
    "similar": "rrnn_lit.evaluation.similar_cli",
    "interpolate": "rrnn_lit.evaluation.interpolate_cli",
    "sts": "rrnn_lit.evaluation.sts_cli",
}
# these settle threads and memory themselves: they start other processes or need no network
_LIGHT_COMMANDS = ("prepare", "separate", "sweep", "compare")


def main(argv: list[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0 done, 64 bad command line or config, 65 bad input, 71 out of memory, 73 another process
    trains in the folder, 74 cannot write, 75 stopped by a signal and saved, 76 another process of
    the run is lost, 79 a loss or gradient is not finite, 80 refused by a security rule,
    130 interrupted.
    """
    arguments = sys.argv[1:] if argv is None else argv
    command = arguments[0] if arguments else "--help"
    _keep_children_from_working_folder()
    try:
        code = _run(command, arguments[1:])
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # `rrnn decode ... | head`: the reader has all it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt as interruption:
        text = "interrupted; the same command starts again"
        return complain(command, interruption, EXIT_INTERRUPTED, text)


def _keep_children_from_working_folder() -> None:
    """Let a child process import nothing from the working folder unless this process would.

    A child that is started with `python -m` or `-c`, as multiprocessing does, looks there first:
    a `yaml.py` in a stranger's folder would run.
    """
    here = os.path.realpath("")
    if here not in map(os.path.realpath, sys.path):
        os.environ.setdefault("PYTHONSAFEPATH", "1")


def _run(command: str, options: list[str]) -> int:
    if command in ("-h", "--help"):
        print(_HELP, end="")
        return 0
    if command == "--version":
        from rrnn_lit import __version__

        print(f"rrnn_lit {__version__}")
        return 0
    if command in _COMMANDS:
        if command not in _LIGHT_COMMANDS:
            _settle_process()
        main_of_command: Callable[[list[str]], int] = import_module(_COMMANDS[command]).main
        return main_of_command(options)
    if command in _LIGHTNING_COMMANDS:
        return _run_lightning(command, options)
    print(f"rrnn: wanted one of the commands below, got {command!r}\n\n{_HELP}", file=sys.stderr)
    return EXIT_BAD_CONFIG


def _settle_process() -> None:
    """Choose what suits training, before torch loads."""
    from rrnn_lit.allocator import keep_freed_memory

    # threads that spin while they wait slow a busy machine down
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    keep_freed_memory()


def _run_lightning(command: str, options: list[str]) -> int:
    """Run a LightningCLI subcommand; a training owns its signals until the process ends."""
    _settle_process()
    try:
        arguments = [command, *expand_run(command, options)]
    except ValueError as error:
        return complain(command, error, EXIT_BAD_INPUT)
    from rrnn_lit.training.stop_signals import SetUpStoppedError, StopSignals

    signals = StopSignals(raises=True)
    try:
        with signals if command == "fit" else nullcontext():
            return _run_and_close(command, arguments, signals)
    except SetUpStoppedError as stop:
        return complain(command, stop, EXIT_STOPPED)


def _run_and_close(command: str, arguments: list[str], signals: "StopSignals") -> int:
    """Run RRNNCLI and close its W&B run, as failed unless all went well."""
    from rrnn_lit.training.wandb_logging import abandon, finish

    code, end = EXIT_FAILED, None
    try:
        code, end = _run_cli(command, arguments, signals)
    finally:
        if code == EXIT_OWNED:
            abandon()
        else:
            finish(0 if end == "pruned" else code, end)
    return code


def _run_cli(command: str, arguments: list[str], signals: "StopSignals") -> tuple[int, str | None]:
    """Run RRNNCLI and return its exit code and what it was stopped for."""
    from rrnn_lit.training.owner import RunOwnedError
    from rrnn_lit.training.preemption import RunStoppedError

    try:
        return _complain_of_mistakes(command, arguments, signals), None
    except RunStoppedError as stop:
        return _complain_once(command, stop, EXIT_STOPPED), stop.reason
    except RunOwnedError as owned:
        return complain(command, owned, EXIT_OWNED), None


def _complain_of_mistakes(command: str, arguments: list[str], signals: "StopSignals") -> int:
    """Run RRNNCLI; a user's mistake becomes one line on stderr."""
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    from rrnn_lit.training.completeness import RunCompleteError
    from rrnn_lit.training.finite import NotFiniteError
    from rrnn_lit.training.interruption import RunInterruptedError
    from rrnn_lit.training.lightning_cli import RRNNCLI, OptionError

    try:
        RRNNCLI(arguments, signals=signals, at_end=_draw_curves)
    except RunCompleteError as complete:
        _say_once(f"rrnn {command}: {complete}")
    except RunInterruptedError as interruption:
        return complain(command, interruption, EXIT_INTERRUPTED)
    except OptionError as error:
        text = f"{error}; see `rrnn {command} --help`"
        return complain(command, error, EXIT_BAD_CONFIG, text)
    except NotFiniteError as error:
        return _complain_once(command, error, EXIT_NOT_FINITE)
    except (ValueError, MisconfigurationException) as error:
        return complain(command, error, EXIT_BAD_INPUT)
    except (MemoryError, RuntimeError) as error:
        if is_lost_process(error):
            # torch's own text is of addresses and logs; RRNN_TRACEBACK=1 shows it
            text = (
                "another process of the run has died or hangs; the run goes on with the next start"
            )
            return complain(command, error, EXIT_LOST_PROCESS, text)
        if not is_lack_of_memory(error):
            raise
        text = "out of memory; lower model.hidden_size, data.batch_size or data.eval_batch_size"
        return complain(command, error, EXIT_OUT_OF_MEMORY, f"{text}: {error}")
    except OSError as error:
        return complain(command, error, EXIT_CANNOT_WRITE, f"cannot read or write: {error}")
    return 0


def _draw_curves(folder: Path, held: Callable[[], AbstractContextManager[None]]) -> None:
    """Draw the curves of a run; it is finished also where they cannot be drawn."""
    from rrnn_lit.evaluation.curves import plot_curves

    try:
        print(f"curves: {plot_curves(folder, held)}")
    except (OSError, ValueError, TypeError) as error:  # the last: of a folder's name without UTF-8
        print(f"rrnn fit: no curves: {error}", file=sys.stderr)


def _say_once(line: str) -> None:
    """Print what all processes of a run would say."""
    from rrnn_lit.training.strategies import is_first_process

    if is_first_process():
        print(line)


def _complain_once(command: str, error: Exception, code: int) -> int:
    """Complain of what all processes of a run meet together."""
    from rrnn_lit.training.strategies import is_first_process

    return complain(command, error, code) if is_first_process() else code


def expand_run(command: str, options: list[str]) -> list[str]:
    """Replace `--run RUN` or `--resume RUN` by the run's config, folder and checkpoint.

    `--resume` (only for fit) takes the last checkpoint; `--run` the best, or the last of a run
    that was too short for an evaluation. Options behind it win.

    Raises:
        ValueError: the folder holds no run or no checkpoint yet, or the option is the other's.
    """
    name, other = ("--resume", "--run") if command == "fit" else ("--run", "--resume")
    from rrnn_lit.training.run_folder import (
        BEST_CHECKPOINT,
        CONFIG_FILE,
        LAST_CHECKPOINT,
        has_checkpoint,
        is_run,
    )

    options = [
        part
        for o in options
        for part in (o.split("=", 1) if o.startswith((f"{name}=", f"{other}=")) else [o])
    ]
    if other in options:
        raise ValueError(f"{other}: wanted {name} RUN for `rrnn {command}`, got {other}")
    if name not in options:
        return options
    if options.count(name) > 1:
        raise ValueError(f"{name}: wanted one run, got {options.count(name)}")
    place = options.index(name)
    folder = Path(options[place + 1]) if place + 1 < len(options) else Path()
    checkpoint = folder / BEST_CHECKPOINT
    if command == "fit" or not checkpoint.is_file():
        checkpoint = folder / LAST_CHECKPOINT
    if not is_run(folder):
        raise ValueError(f"{name}: wanted the folder of a run with {CONFIG_FILE}, got {folder}")
    # training goes on from an earlier one if that is damaged or missing
    if not (has_checkpoint(folder) if command == "fit" else checkpoint.is_file()):
        raise ValueError(f"{name}: {folder} holds no {checkpoint.name} yet; start it anew")
    return [
        *options[:place],
        *("--config", str(folder / CONFIG_FILE)),
        *("--run.folder", str(folder)),
        *("--ckpt_path", str(checkpoint)),
        *options[place + 2 :],
    ]


if __name__ == "__main__":
    sys.exit(main())
