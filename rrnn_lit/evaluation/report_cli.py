"""The command `rrnn report`: a page about trained models, their figures, errors and sentences.

Exit codes: 0 done, 64 bad command line, 65 bad input, 71 out of memory, 74 cannot write.
"""

import argparse
import importlib.metadata
import platform
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from rrnn_lit.codec.command import run_command
from rrnn_lit.command_line import BadCommandError, Parser
from rrnn_lit.data.token_store import SPLITS

COMMAND = "report"
_DESCRIPTION = """Writes a page about trained models: their figures with intervals, by length of
sentence, the kinds of errors, sentences beside what comes back, and speed."""
_VERSIONS = ("rrnn_lit", "torch", "numpy")


def main(options: list[str]) -> int:
    """Run `rrnn report` with these options and return its exit code."""
    return run_command(COMMAND, lambda: _report(_parse(options), options))


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"wanted {least} or more, got {text}")
        return number

    return read


def _parse(options: list[str]) -> argparse.Namespace:
    parser = Parser(prog=f"rrnn {COMMAND}", description=_DESCRIPTION, allow_abbrev=False)
    add = parser.add_argument
    add(
        "models",
        metavar="RUN|BUNDLE",
        nargs="+",
        type=Path,
        help="folder of a run or a bundle; several are compared, the first is the yardstick",
    )
    add("--split", choices=SPLITS, default="holdout", help="sentences to use (default: holdout)")
    add(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="prepared folder with the models' dictionary (default: that of the run's config)",
    )
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the report (default: RUN/report-SPLIT, or BUNDLE-report beside it)",
    )
    add("--sentences", type=_whole(1), metavar="N", help="only the first N (default: all)")
    add("--samples", type=_whole(0), default=12, metavar="N", help="shown in full (default: 12)")
    add("--seed", type=_whole(0), default=0, help="draws the samples (default: 0)")
    add(
        "--weights",
        choices=("best", "last"),
        default="best",
        help="checkpoint of a run (default: best)",
    )
    add(
        "--raw",
        type=Path,
        metavar="FILE",
        help="raw text, a sentence a line, plain, .gz, .xz or .bz2: which share survives "
        "preparation unchanged",
    )
    add("--batch-size", type=_whole(1), default=256, metavar="N", help="at a time (default: 256)")
    add("--device", default="auto", help="cpu, cuda, cuda:1 (default: a GPU if there is one)")
    add("--no-speed", action="store_true", help="do not measure sentences a second")
    add("--wandb", action="store_true", help="show the report in W&B too; offline without login")
    return parser.parse_args(options)


def _report(given: argparse.Namespace, options: list[str]) -> None:
    from rrnn_lit.evaluation.report_content import build_content
    from rrnn_lit.evaluation.report_files import PAGE_FILE, files_of, want_place, write_files
    from rrnn_lit.evaluation.report_page import build_page
    from rrnn_lit.evaluation.report_pictures import draw_pictures
    from rrnn_lit.evaluation.report_subjects import open_subjects
    from rrnn_lit.evaluation.report_terminal import print_figures
    from rrnn_lit.models.devices import device_of

    folder = _folder(given)
    want_place(folder)
    device = device_of(given.device, "--device")
    subjects, data = open_subjects(given.models, given.data, given.weights)
    raw = None if given.raw is None else _raw_text(subjects[0], given.raw)
    columns, common = _measure(given, subjects, data, device)
    common |= {"command": shlex.join(["rrnn", COMMAND, *options])}
    content, pairs = build_content(columns, data, common, given.samples)
    content["raw_text"] = raw
    pictures = draw_pictures(content)
    write_files(folder, files_of(content, pairs, pictures, build_page(content, pairs, pictures)))
    print_figures(content)
    print(f"the report is in {folder / PAGE_FILE}")
    if given.wandb:
        from rrnn_lit.evaluation.wandb_report import log_report

        log_report(folder, content, pairs, [(s.path, s.config) for s in subjects])


def _raw_text(subject: Any, path: Path) -> dict[str, Any]:
    from rrnn_lit.evaluation.report_raw_text import measure_raw_text

    share = measure_raw_text(subject.parts, path)
    # not asdict: it would take the estimates apart as well
    return dict(vars(share))


def _folder(given: argparse.Namespace) -> Path:
    from rrnn_lit.training.run_folder import is_run

    if given.out is not None:
        return Path(given.out)
    if len(given.models) > 1:
        raise BadCommandError(
            f"--out: wanted a folder for a report about {len(given.models)} models, got none"
        )
    model: Path = given.models[0]
    if is_run(model):
        return model / f"report-{given.split}"
    model = model.resolve()  # `.` has no name
    return model.with_name(f"{model.name}-report")


def _measure(
    given: argparse.Namespace, subjects: Any, data: Any, device: Any
) -> tuple[list[Any], dict[str, Any]]:
    """Return the columns of the report and the facts that are common to them."""
    from rrnn_lit.evaluation.evaluate import PLAIN, choose_sentences, evaluate
    from rrnn_lit.evaluation.report_content import Column, facts_of
    from rrnn_lit.evaluation.throughput import device_name, measure_speed

    store = data.store(given.split)
    max_words = min(subject.parts.max_words for subject in subjects)
    sentences = choose_sentences(store, max_words, given.sentences)
    columns = []
    for subject in subjects:
        say = _progress(subject.name, len(sentences))
        found = evaluate(subject.parts, store, sentences, given.batch_size, device, say)
        speed = None
        if not given.no_speed:
            speed = measure_speed(subject.parts, store, sentences, given.batch_size, device)
        for variant, evaluated in found.items():
            plain = variant == PLAIN
            facts = facts_of(subject.parts, variant, str(subject.path))
            name = (
                subject.name if plain else f"{subject.name} compressed to {facts['vector_size']}"
            )
            columns.append(Column(name, facts, evaluated, speed if plain else None))
    common = {
        "split": given.split,
        "num_sentences": len(sentences),
        "num_split_sentences": store.num_sentences,
        "max_words": max_words,
        "data": str(data.folder),
        "data_digest": data.digest,
        "seed": given.seed,
        "device": device_name(device),
        "precision": "float32",
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _VERSIONS},
        },
    }
    return columns, common


def _progress(name: str, number: int) -> Callable[[int], None]:
    def say(done: int) -> None:
        end = "\n" if done == number else ""
        if sys.stderr.isatty():
            print(f"\r{name}: {done:,} of {number:,} sentences", end=end, file=sys.stderr)
        elif end:
            print(f"{name}: {number:,} sentences", file=sys.stderr)

    return say
