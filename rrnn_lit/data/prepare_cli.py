"""The command `rrnn prepare`: options, one-line errors, exit codes and the closing summary.

Exit codes: 0 done, 64 bad configuration, 65 bad input, 71 out of memory, 74 cannot write or
download, 80 refused by a security rule, 130 interrupted. What is finished is kept in every case
and the same command continues.
"""

import json
import sys
from pathlib import Path

from jsonargparse import ArgumentError, ArgumentParser, Namespace
from rich.console import Console
from rich.table import Table

from rrnn_lit.complaints import complain
from rrnn_lit.data.config_files import check_config_files
from rrnn_lit.data.config_imports import refusal_in, settle_imports
from rrnn_lit.data.prepare import RefusedFolderError, prepare
from rrnn_lit.data.prepare_config import PrepareConfig
from rrnn_lit.data.prepare_finish import STATS_FILE, TIMING_FILE
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.shards import read_json
from rrnn_lit.data.token_store import SPLITS, TokenStore
from rrnn_lit.words.vectors import WordVectors

COMMAND = "prepare"
BAD_CONFIG, BAD_INPUT, OUT_OF_MEMORY, CANNOT_WRITE, INTERRUPTED = 64, 65, 71, 74, 130
_PRESET = Path("configs") / "prepare.yaml"
_SHORT = {"--source": "--source.kind", "--vectors": "--words.vectors"}
_SHORT_LISTS = {"--files": "--source.files", "--years": "--source.years"}
_NUM_SAMPLES = 10
_HELP = """Turn raw sentences into a folder to train on. Options not given come from
configs/prepare.yaml, or from the complete file given with --config. Short forms: --source KIND,
--files FILE [FILE ...], --years YEAR [YEAR ...], --vectors FILE."""


def main(argv: list[str]) -> int:
    """Run the command with these arguments and return its exit code."""
    console = Console(stderr=True)
    try:
        config = parse(argv)
    except ValueError as error:
        return complain(COMMAND, error, BAD_CONFIG)
    try:
        prepare(config, StageProgress(console))
        summary = Console()
        _print_summary(Path(config.out), summary)
        _print_samples(Path(config.out), config.text.max_words, summary)
    except RefusedFolderError as error:
        return complain(COMMAND, error, BAD_CONFIG)
    except ValueError as error:
        return complain(COMMAND, error, BAD_INPUT)
    except (ConnectionError, BlockingIOError, ChildProcessError) as error:
        return complain(COMMAND, error, CANNOT_WRITE)
    except MemoryError as error:
        hint = "out of memory; try fewer --processes, the same command continues"
        return complain(COMMAND, error, OUT_OF_MEMORY, hint)
    except OSError as error:
        kept = f"cannot write {config.out}: {error}; the same command continues when there is room"
        return complain(COMMAND, error, CANNOT_WRITE, kept)
    except KeyboardInterrupt as interruption:
        hint = f"interrupted; the same command continues in {config.out}"
        return complain(COMMAND, interruption, INTERRUPTED, hint)
    return 0


def parse(argv: list[str]) -> PrepareConfig:
    """Return the configuration that these arguments and the files they name give.

    Raises:
        ValueError: an unknown option, a wrong type or a value out of range, in one line.
    """
    arguments = _long_forms(argv)
    settle_imports()
    parser = _parser(use_preset=not any(a.split("=")[0] == "--config" for a in arguments))
    check_config_files(arguments)
    try:
        return _config(parser, parser.parse_args(arguments))
    except ArgumentError as error:
        cause = refusal_in(error) or error
        raise ValueError(_placed(str(cause), arguments)) from cause


def _placed(text: str, arguments: list[str]) -> str:
    """Say where, if the parser's text is of a name or a value and not of an option."""
    if any(mark in text for mark in ('key "', "--", "refused: ")):
        return text
    return f"options: {' '.join(arguments)}: {text}"


def _parser(use_preset: bool) -> ArgumentParser:
    # exit_on_error False: errors are raised instead of printed with the usage
    parser = ArgumentParser(
        prog="rrnn prepare",
        description=_HELP,
        exit_on_error=False,
        default_config_files=[str(path) for path in _preset()] if use_preset else [],
    )
    parser.add_argument("--config", action="config", help="complete YAML file of options")
    parser.add_class_arguments(PrepareConfig)
    return parser


def _preset() -> list[Path]:
    """Return the preset of the working folder, else the one of the installed checkout."""
    here = [_PRESET, Path(__file__).parents[2] / _PRESET]
    return [path for path in here if path.is_file()][:1]


def _config(parser: ArgumentParser, settings: Namespace) -> PrepareConfig:
    objects = parser.instantiate(settings)
    values = {name: objects[name] for name in PrepareConfig.__dataclass_fields__}
    return PrepareConfig(**values)


def _long_forms(argv: list[str]) -> list[str]:
    """Replace the short forms; lists become one JSON argument."""
    arguments: list[str] = []
    rest = list(argv)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in _SHORT_LISTS:
            values = [value] if equals else []
            while not equals and rest and not rest[0].startswith("--"):
                values.append(rest.pop(0))
            items = [int(v) if name == "--years" and v.isdigit() else v for v in values]
            arguments += [_SHORT_LISTS[name], json.dumps(items)]
        else:
            arguments.append(_SHORT.get(name, name) + equals + value)
    return arguments


def _print_summary(out: Path, console: Console) -> None:
    stats = read_json(out / STATS_FILE)
    steps = Table(title="Steps", title_justify="left")
    for column in ("step", "in", "changed", "dropped"):
        steps.add_column(column, justify="left" if column == "step" else "right")
    read, duplicates = stats["source"]["sentences"], stats["raw_duplicates"]
    steps.add_row("raw duplicates", f"{read:,}", "0", f"{duplicates:,}")
    for step, counts in stats["steps"].items():
        steps.add_row(step, *(f"{counts[name]:,}" for name in ("in", "changed", "dropped")))
    left = stats["steps"]["length"]["in"] - stats["steps"]["length"]["dropped"]
    again = stats["duplicates_after_processing"]
    steps.add_row("duplicates after processing", f"{left:,}", "0", f"{again:,}")
    console.print(steps)
    splits = Table(title="Splits", title_justify="left")
    for column in ("split", "sentences", "words", "mean length", "UNK"):
        splits.add_column(column, justify="left" if column == "split" else "right")
    for split in SPLITS:
        row = stats["splits"][split]
        splits.add_row(
            split,
            f"{row['sentences']:,}",
            f"{row['words']:,}",
            f"{row['mean_length']:.2f}",
            f"{row['unknown_rate']:.2%}",
        )
    console.print(splits)
    size = f"{stats['dictionary']['vocab_size']:,} dictionary entries"
    console.print(f"{size};{_speed(out, read)} written to {out}", highlight=False)


def _speed(out: Path, sentences: int) -> str:
    """Return what it took; nothing if the file, which no manifest names, is gone or changed."""
    try:
        seconds = float(read_json(out / TIMING_FILE)["seconds"])
        return f" {seconds:.0f} s, {sentences / seconds:,.0f} sentences/s;"
    except (OSError, ValueError, TypeError, LookupError, ZeroDivisionError):
        return ""


def _print_samples(out: Path, max_words: int, console: Console) -> None:
    """Print the first sentences of tune: they are ordered by digest, so a random choice."""
    dictionary = WordVectors.load(out)
    store = TokenStore(out, "tune", dictionary.vocab_size, max_words)
    for number in range(min(_NUM_SAMPLES, store.num_sentences)):
        words = dictionary.decode(store.sentence(number).tolist())
        console.print(f"{number + 1:>3}  {' '.join(words)}", highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
