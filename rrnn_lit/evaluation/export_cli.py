"""The command `rrnn export`: a run becomes a bundle, one folder that needs nothing else.

Exit codes: 0 done, 64 bad command line or the folder is taken, 65 bad input, 74 cannot write.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rrnn_lit.codec.bundle import want_free, write_bundle
from rrnn_lit.codec.bundle_card import bytes_per_vector, evaluations
from rrnn_lit.codec.command import BAD_COMMAND, BAD_INPUT, CANNOT_WRITE
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.command_line import Parser
from rrnn_lit.complaints import complain
from rrnn_lit.training.open_run import open_run

COMMAND = "export"
# figure -> column
_RATES = {
    "matched_word_rate": "words",
    "exact_sentence_rate": "exact",
    "strict_matched_word_rate": "strict words",
    "strict_exact_sentence_rate": "strict exact",
}


def main(options: list[str]) -> int:
    """Run the command with these arguments and return its exit code."""
    try:
        given = _parser().parse_args(options)
        want_free(given.out, given.overwrite)
    except ValueError as error:
        return complain(COMMAND, error, BAD_COMMAND)
    except OSError as error:
        return complain(COMMAND, error, CANNOT_WRITE, f"--out: cannot be written: {error}")
    try:
        parts = _with_names(_open(given), given)
        write_bundle(parts, given.out, overwrite=given.overwrite)
        _print(parts, given.out)
    except ValueError as error:
        return complain(COMMAND, error, BAD_INPUT)
    except OSError as error:
        return complain(COMMAND, error, CANNOT_WRITE, f"cannot write {given.out}: {error}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="rrnn export",
        description="Write a bundle: one folder without code that holds a run's weights, "
        "dictionary, text settings and figures, with a model card. `rrnn encode`, `rrnn decode` "
        "and SentenceCodec.load read it.",
        allow_abbrev=False,
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="BUNDLE", help="folder to write; new or empty"
    )
    parser.add_argument(
        "--weights",
        choices=["best", "last"],
        default="best",
        help="checkpoint to take; best is the one with most matched words on test, or the last "
        "if there was no evaluation yet (default: best)",
    )
    parser.add_argument(
        "--name", type=_line, help="of the model, for its card (default: the run's folder)"
    )
    parser.add_argument(
        "--license",
        type=_line,
        metavar="ID",
        help="for the model card, for example cc-by-4.0; without it the card names none",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a bundle in the folder")
    _text_options(parser)
    return parser


def _text_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="the prepared data of the run, if they are no longer where its config says",
    )
    parser.add_argument(
        "--word-list",
        type=Path,
        metavar="FILE",
        help="what `rrnn prepare` was given as words.word_list or words.vectors: it decides which "
        "phrases and contractions of raw text become one word",
    )
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="FILE",
        help="what `rrnn prepare` was given as text.corrections",
    )
    parser.add_argument(
        "--approximate-text",
        action="store_true",
        help="do without these files: the dictionary's own words stand in for the list, and some "
        "raw sentences get other words than in training; the card says so",
    )


def _line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError(f"wanted one line of text, got {text!r}")
    return text


def _open(given: argparse.Namespace) -> CodecParts:
    parts = open_run(given.run, given.weights, given.data, given.word_list, given.corrections)
    lacks = parts.facts.get("text_lacks", [])
    if lacks and not given.approximate_text:
        raise ValueError(
            f"{' and '.join(lacks)}: wanted what `rrnn prepare` was given, got none; "
            f"{parts.facts['text_note']} --approximate-text accepts that"
        )
    return parts


def _with_names(parts: CodecParts, given: argparse.Namespace) -> CodecParts:
    names = {"name": given.name, "license": given.license}
    chosen = {name: value for name, value in names.items() if value is not None}
    facts = {name: value for name, value in parts.facts.items() if name != "text_lacks"}
    return replace(parts, facts={**facts, **chosen})


def _print(parts: CodecParts, folder: Path) -> None:
    facts, console = parts.facts, Console(highlight=False, soft_wrap=True)
    ending = "" if facts["finished"] else " of an unfinished run"
    console.print(
        f"{facts['name']}: {facts['weights']} weights{ending}, step {facts['steps']:,}; "
        f"{parts.word_vectors.vocab_size:,} words, {bytes_per_vector(parts):,} bytes per vector",
        markup=False,
    )
    files = Table()
    files.add_column("file")
    files.add_column("bytes", justify="right")
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    for name, size in sizes.items():
        files.add_row(name, f"{size:,}")
    files.add_row("all", f"{sum(sizes.values()):,}")
    console.print(files)
    if evaluations(parts):
        console.print(_figures(parts))
    if "text_note" in facts:
        print(f"rrnn {COMMAND}: {facts['text_note']}", file=sys.stderr)
    console.print(f"written to {folder}", markup=False)


def _figures(parts: CodecParts) -> Table:
    table = Table()
    table.add_column("split")
    for name in ("sentences", "longest", *_RATES.values()):
        table.add_column(name, justify="right")
    for split, figures in evaluations(parts).items():
        rates = [figures.get(figure) for figure in _RATES]
        table.add_row(
            split,
            f"{figures.get('num_sentences', 0):,}",
            f"{figures.get('max_words', '')}",
            *("" if rate is None else f"{rate:.2%}" for rate in rates),
        )
    return table
