"""The `rrnn` command. Each subcommand loads only what it needs."""

import os
import sys
from pathlib import Path

EXIT_BAD_CONFIG = 64
EXIT_BAD_INPUT = 65
EXIT_CANNOT_WRITE = 74
EXIT_INTERRUPTED = 130

_HELP = """\
usage: rrnn COMMAND [options]

  prepare    raw text -> dictionary of word vectors and splits of word ids
  fit        train an autoencoder; --resume RUN goes on with an unfinished run
  validate   count matched words of a run on tune and test; --run RUN
  test       count matched words of a run on holdout; --run RUN
  predict    write sentence vectors and decoded words of a split; --run RUN

`rrnn COMMAND --help` lists the options; `rrnn fit --config FILE --print_config` shows them all
with their values.
"""
_LIGHTNING_COMMANDS = ("fit", "validate", "test", "predict")


def main(argv: list[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0 done, 64 bad command line or config, 65 bad input, 74 cannot write, 130 interrupted.
    """
    arguments = sys.argv[1:] if argv is None else argv
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(_HELP, end="")
        return 0
    if command == "--version":
        from rrnn_lit import __version__

        print(f"rrnn_lit {__version__}")
        return 0
    if command == "prepare":
        from rrnn_lit.data.prepare_cli import main as prepare

        return prepare(arguments[1:])
    if command in _LIGHTNING_COMMANDS:
        return _run_lightning(command, arguments[1:])
    print(f"rrnn: wanted one of the commands below, got {command!r}\n\n{_HELP}", file=sys.stderr)
    return EXIT_BAD_CONFIG


def _run_lightning(command: str, options: list[str]) -> int:
    """Run a LightningCLI subcommand; a user's mistake becomes one line on stderr."""
    # read when torch loads: threads that spin while they wait slow a busy machine down
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        arguments = [command, *expand_run(command, options)]
    except ValueError as error:
        print(f"rrnn {command}: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    from rrnn_lit.evaluation.curves import plot_curves
    from rrnn_lit.training.lightning_cli import RRNNCLI, OptionError, RunInterruptedError
    from rrnn_lit.training.wandb_logging import finish

    try:
        cli = RRNNCLI(arguments)
        if command == "fit" and cli.trainer.is_global_zero:
            print(f"curves: {plot_curves(cli.folder)}")
    except RunInterruptedError as interruption:
        print(f"rrnn fit: {interruption}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except OptionError as error:
        print(f"rrnn {command}: {error}; see `rrnn {command} --help`", file=sys.stderr)
        return EXIT_BAD_CONFIG
    except (ValueError, MisconfigurationException) as error:
        print(f"rrnn {command}: {' '.join(str(error).split())}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except OSError as error:
        print(f"rrnn {command}: cannot read or write: {error}", file=sys.stderr)
        return EXIT_CANNOT_WRITE
    except KeyboardInterrupt:
        print(f"rrnn {command}: interrupted; the same command starts again", file=sys.stderr)
        return EXIT_INTERRUPTED
    finally:
        finish()
    return 0


def expand_run(command: str, options: list[str]) -> list[str]:
    """Replace `--run RUN` or `--resume RUN` by the run's config, folder and checkpoint.

    `--resume` (only for fit) takes the last checkpoint; `--run` the best, or the last of a run
    that was too short for an evaluation. Options behind it win.

    Raises:
        ValueError: the folder holds no run or no checkpoint yet.
    """
    name = "--resume" if command == "fit" else "--run"
    from rrnn_lit.training.run_folder import (
        BEST_CHECKPOINT,
        CONFIG_FILE,
        LAST_CHECKPOINT,
        is_run,
    )

    options = [
        part for o in options for part in (o.split("=", 1) if o.startswith(f"{name}=") else [o])
    ]
    if name not in options:
        return options
    place = options.index(name)
    folder = Path(options[place + 1]) if place + 1 < len(options) else Path()
    checkpoint = folder / BEST_CHECKPOINT
    if command == "fit" or not checkpoint.is_file():
        checkpoint = folder / LAST_CHECKPOINT
    if not is_run(folder):
        raise ValueError(f"{name}: wanted the folder of a run with {CONFIG_FILE}, got {folder}")
    if not checkpoint.is_file():
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
