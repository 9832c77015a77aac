"""The command `rrnn compare`: train variants of one config at one budget, table and picture.

Exit codes: 0 all is finished, 1 a variant failed, 64 bad command line or file, 65 a folder holds
something else, 74 cannot write, 130 interrupted: the same command goes on.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from rich.console import Console

from rrnn_lit.command_line import Parser
from rrnn_lit.complaints import complain
from rrnn_lit.data.manifest import write_json
from rrnn_lit.evaluation.compare_file import Comparison, Variant, read_comparison
from rrnn_lit.training.run_folder import is_finished
from rrnn_lit.whole_files import write_text

COMMAND = "compare"
FAILED, BAD_COMMAND, BAD_INPUT, CANNOT_WRITE, INTERRUPTED = 1, 64, 65, 74, 130
TABLE_FILE, RESULTS_FILE, PICTURE_FILE = "table.md", "results.json", "compare.png"
_NARROWEST = 180  # columns of the table where no terminal sets the width


def main(options: list[str]) -> int:
    """Run the command with these arguments and return its exit code."""
    try:
        given = _parser().parse_args(options)
        more = {} if given.data is None else {"data.folder": str(given.data)}
        comparison = read_comparison(given.file, more)
        chosen = _choose(comparison, given.only)
        check_variants([v for v in chosen if not is_finished(given.out / v.name)])
    except ValueError as error:
        return complain(COMMAND, error, BAD_COMMAND)
    from rrnn_lit.evaluation.compare_runs import Place, run_variants

    place = Place(given.out, given.threads, given.holdout, _say)
    try:
        failed = run_variants(chosen, place)
        _report(comparison, given.out, failed)
    except ValueError as error:
        return complain(COMMAND, error, BAD_INPUT)
    except OSError as error:
        return complain(COMMAND, error, CANNOT_WRITE, f"cannot write {given.out}: {error}")
    except KeyboardInterrupt as interruption:
        text = f"interrupted; the same command goes on in {given.out}"
        return complain(COMMAND, interruption, INTERRUPTED, text)
    return FAILED if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="rrnn compare",
        description="Train variants of one config at one budget, one after another, and set them "
        "side by side: other networks at equal width and at equal parameters, and the same "
        "network with one thing changed. Started again, it goes on where it was.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="for example configs/compare_demo.yaml"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help=f"gets a run for each variant, {TABLE_FILE}, {RESULTS_FILE} and {PICTURE_FILE}",
    )
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="prepared data (default: that of the file)"
    )
    parser.add_argument(
        "--threads",
        type=_threads,
        default=1,
        metavar="N",
        help="of each training (default: 1, the fastest at small widths)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        help="train these alone; the table has all that are finished",
    )
    parser.add_argument(
        "--holdout",
        action="store_true",
        help="count holdout as well, once all decisions are made",
    )
    return parser


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a whole number of at least 1, got {text!r}")
    return int(text)


def _choose(comparison: Comparison, names: Sequence[str] | None) -> list[Variant]:
    known = {variant.name: variant for variant in comparison.variants}
    for name in names or ():
        if name not in known:
            raise ValueError(f"--only: wanted one of {', '.join(known)}, got {name!r}")
    return [v for v in comparison.variants if names is None or v.name in names]


def check_variants(variants: Sequence[Variant]) -> None:
    """Read the options of variants as `rrnn fit` will, before the first of them runs.

    Raises:
        ValueError: names the variant and the option.
    """
    if not variants:
        return
    from rrnn_lit.training.lightning_cli import RRNNCLI

    with TemporaryDirectory(prefix="rrnn-compare-") as name:
        for variant in variants:
            path = Path(name) / f"{variant.name}.yaml"
            path.write_text(yaml.safe_dump(variant.options), encoding="utf-8")
            printed = StringIO()
            try:
                with redirect_stdout(printed):
                    RRNNCLI(["fit", "--config", str(path), "--print_config"])
            except SystemExit:  # what --print_config ends with
                _check_network(yaml.safe_load(printed.getvalue()), variant.name)
            except ValueError as error:
                raise ValueError(f"variants.{variant.name}: {error}") from error


def _check_network(config: dict[str, Any], name: str) -> None:
    import torch

    from rrnn_lit.models.building import autoencoder_of
    from rrnn_lit.training.module_options import check_options

    if config["task"] != "autoencoder":
        raise ValueError(f"variants.{name}.task: wanted autoencoder, got {config['task']}")
    # the data will tell the length of a word vector; any does here
    options = {**config["model"], "match_margin": config["loss"]["match_margin"], "word_dim": 8}
    try:
        check_options(options)
        with torch.device("meta"):
            autoencoder_of(options)
    except ValueError as error:
        raise ValueError(f"variants.{name}: {error}") from error


def _report(comparison: Comparison, out: Path, failed: dict[str, str]) -> None:
    """Write and print what the finished variants come to."""
    from rrnn_lit.evaluation.compare_figure import write_figure
    from rrnn_lit.evaluation.compare_results import as_json, read_result
    from rrnn_lit.evaluation.compare_table import describe, markdown_table, terminal_table

    finished = [v for v in comparison.variants if is_finished(out / v.name)]
    if not finished:
        return
    results = [read_result(variant, out / variant.name) for variant in finished]
    title = f"# {comparison.name}: {comparison.steps:,} steps"
    limit = "" if comparison.seconds is None else f" or {comparison.seconds:,.0f} s"
    write_text(out / TABLE_FILE, f"{title}{limit} each\n\n{markdown_table(results, failed)}")
    write_json(out / RESULTS_FILE, as_json(results, failed))
    write_figure(results, out / PICTURE_FILE)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _NARROWEST)
    console.print(terminal_table(results))
    for line in describe(results):
        console.print(line, markup=False, soft_wrap=True)
    for name in (TABLE_FILE, RESULTS_FILE, PICTURE_FILE):
        console.print(f"written: {out / name}", markup=False, soft_wrap=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
