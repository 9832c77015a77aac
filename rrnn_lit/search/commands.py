"""What each command of `rrnn sweep` does with its checked options."""

import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console

from rrnn_lit.command_line import BadCommandError
from rrnn_lit.search.cli import STOPPED
from rrnn_lit.search.command_options import check_host_options
from rrnn_lit.search.storage import (
    SweepStorage,
    WorkersError,
    open_for_reading,
    open_storage,
)
from rrnn_lit.search.study import load_study

if TYPE_CHECKING:
    from optuna import Study

    from rrnn_lit.search.launch import Launch

_REAP_POLL_S = 1.0
_SHOWN = 40  # letters of a value


def run(given: Namespace, console: Console) -> int:
    """Run a study file, until it has its results."""
    from rrnn_lit.search.launch import define, run_study
    from rrnn_lit.search.study import open_study
    from rrnn_lit.search.trial_process import TrialServer

    check_host_options(given)
    server = TrialServer()
    with _bad_command():
        extra = _extra(given.set)
        definition = define(given.study, given.name, extra, given.trials, given.seed, server)
    with _opened(given, given.workers) as opened:
        study, definition = open_study(definition, opened)
        done = run_study(study, definition, opened, server, _launch(given, console))
    return 0 if done else STOPPED


def extend_study(given: Namespace, console: Console) -> int:
    """Let the best trials of a study go on."""
    from rrnn_lit.search.ladder import extend
    from rrnn_lit.search.launch import run_study
    from rrnn_lit.search.trial_process import TrialServer

    check_host_options(given)
    with _opened(given, given.workers, must_exist=True) as opened:
        study, definition = extend(given.name, given.best, given.steps, opened)
        done = run_study(study, definition, opened, TrialServer(), _launch(given, console))
    return 0 if done else STOPPED


def promote_trial(given: Namespace, console: Console) -> int:
    """Write a config with the options of a trial."""
    from rrnn_lit.search.promote import promote
    from rrnn_lit.search.trial_process import TrialServer

    with _bad_command():
        extra = _extra(given.set)
    with _reading(given) as opened:
        study, definition = load_study(given.name, opened)
        lines = promote(
            study,
            definition,
            given.trial,
            given.base,
            given.out,
            extra,
            given.force,
            TrialServer().resolve,
        )
    _say(console, *lines)
    return 0


def show(given: Namespace, console: Console) -> int:
    """Print a study, or all there are."""
    from rrnn_lit.search.show import print_studies, print_study

    with _reading(given) as opened:
        if given.name is None:
            print_studies(opened, console)
        else:
            study, definition = load_study(given.name, opened)
            print_study(study.get_trials(deepcopy=False), definition, console, given.all)
    return 0


def export_study(given: Namespace, console: Console) -> int:
    """Write the trials of a study into files."""
    from rrnn_lit.search.export import BEST_FILE, export

    with _reading(given) as opened:
        study, definition = load_study(given.name, opened)
        trials = study.get_trials(deepcopy=False)
    paths = export(trials, definition, given.out, given.force)
    _say(console, *(f"written: {path}" for path in paths))
    if BEST_FILE not in {path.name for path in paths}:
        _say(console, f"{BEST_FILE}: left out, no trial is complete")
    return 0


def plot(given: Namespace, console: Console) -> int:
    """Draw a study."""
    from rrnn_lit.search.plots import write_plots

    with _reading(given) as opened:
        study, definition = load_study(given.name, opened)
        paths, left_out = write_plots(study, definition, given.out, given.html)
    _say(console, *(f"written: {path}" for path in paths), *left_out)
    return 0


def compare(given: Namespace, console: Console) -> int:
    """Tell which study was sooner as good as the first."""
    from rrnn_lit.search.compare import (
        check_comparable,
        comparison_table,
        course_of,
        write_comparison,
    )

    with _reading(given) as opened:
        studies = [load_study(name, opened) for name in given.names]
        check_comparable(studies)
        courses = [course_of(study) for study, _ in studies]
    definition = studies[0][1]
    console.print(comparison_table(courses, definition))
    if given.out is not None:
        _say(console, f"written: {write_comparison(courses, definition, given.out)}")
    return 0


def dashboard(given: Namespace, console: Console) -> int:
    """Serve the dashboard until Ctrl-C."""
    from rrnn_lit.search.dashboard import serve

    def say(line: str) -> None:
        _say(console, line)
        console.file.flush()

    with _reading(given) as opened:
        serve(opened, given.host, given.port, say)
    return 0


def delete(given: Namespace, console: Console) -> int:
    """Take a study out of the database."""
    from rrnn_lit.search.delete import delete_study

    with _opened(given, num_workers=1, must_exist=True) as opened:
        folders = delete_study(given.name, opened)
    _say(console, f"study {given.name} is deleted")
    # a new study of that name does not touch the runs of another
    note = "a new study of this name needs another --out, or that folder gone"
    _say(console, *(f"its runs are still in {folder}; {note}" for folder in folders))
    return 0


def reap(given: Namespace, console: Console) -> int:
    """Put back the trials of dead workers; where some may live, watch for `--grace` seconds first.

    A living host keeps an SQLite file locked: who gets in is alone.
    """
    from rrnn_lit.search.claims import requeue_all_running

    with _opened(given, num_workers=1, must_exist=True) as opened:
        study, _ = load_study(given.name, opened)
        if opened.engine.dialect.name == "sqlite":
            numbers = set(requeue_all_running(study, opened))
        else:
            numbers = _watch_for_dead(study, opened, given.grace)
    found = ", ".join(map(str, sorted(numbers))) or "none"
    _say(console, f"trials of dead workers: {found}")
    return 0


def _watch_for_dead(study: "Study", storage: SweepStorage, grace_s: float) -> set[int]:
    from rrnn_lit.search.reaper import Reaper

    numbers: set[int] = set()
    reaper = Reaper(grace_s)
    pause = min(_REAP_POLL_S, grace_s / 10)
    while reaper.watched_s <= reaper.longest_s:  # not so long by the clock: looks may be slow
        numbers.update(reaper.reap(study, storage))
        time.sleep(pause)
    return numbers


def _launch(given: Namespace, console: Console) -> "Launch":
    from rrnn_lit.search.launch import Launch, choose_gpus, choose_threads
    from rrnn_lit.search.worker import SweepOptions

    options = SweepOptions(
        out=given.out,
        num_workers=given.workers,
        threads=given.threads or choose_threads(given.workers),
        gpus=choose_gpus(given.gpus),
        beat_s=given.beat,
        grace_s=given.grace,
        stop_grace_s=given.stop_grace,
    )
    return Launch(options, given.storage, console)


def _extra(pairs: list[str]) -> dict[str, Any]:
    from rrnn_lit.search.promote import read_extra

    extra: dict[str, Any] = {}
    for pair in pairs:
        option, equals, text = pair.partition("=")
        try:
            extra.update(read_extra([pair]))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            if not equals or str(error).startswith("--set"):
                raise
            # the parser's own words for a tag that does not fit name no option
            raise ValueError(
                f"--set {option}: wanted a YAML value, got {text[:_SHOWN]!r}"
            ) from error
    return extra


@contextmanager
def _bad_command() -> Iterator[None]:
    """Tell the mistakes of the command line and the study file from those of the database."""
    try:
        yield
    except ValueError as error:
        raise BadCommandError(str(error)) from error


@contextmanager
def _opened(
    given: Namespace, num_workers: int, must_exist: bool = False
) -> Iterator[SweepStorage]:
    if must_exist:  # a slip in the name of a file must not make an empty database
        open_for_reading(given.storage).close()
    try:
        storage = open_storage(given.storage, num_workers)
    except WorkersError as error:
        raise BadCommandError(str(error)) from error
    try:
        yield storage
    finally:
        storage.close()


@contextmanager
def _reading(given: Namespace) -> Iterator[SweepStorage]:
    storage = open_for_reading(given.storage)
    try:
        yield storage
    finally:
        storage.close()


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        # a path's brackets are no markup
        console.print(line, markup=False, highlight=False, soft_wrap=True)
