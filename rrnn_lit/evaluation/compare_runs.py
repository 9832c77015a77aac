"""Runs the variants of a comparison, one `rrnn fit` after another, each in its folder.

A finished variant is not run again, an unfinished one goes on from its last checkpoint, and one
that fails leaves the others their turn.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from rrnn_lit.evaluation.compare_file import Variant
from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.metrics_log import read_metrics
from rrnn_lit.training.run_folder import (
    CONFIG_FILE,
    LAST_CHECKPOINT,
    METRICS_FILE,
    is_finished,
)
from rrnn_lit.training.summary import read_summary
from rrnn_lit.whole_files import write_text

LOG_FILE = "log.txt"  # stdout and stderr of all starts
OPTIONS_FILE = "variant.yaml"
_POLL_S = 1.0
_STOP_GRACE_S = 120.0
_SHOWN_LINES = 6
Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where variants run and how.

    Attributes:
        out: gets a folder for each variant.
        threads: of torch in each training.
        holdout: whether holdout is counted as well.
        say: takes a line about the progress.
        program: what runs a command of `rrnn`.
    """

    out: Path
    threads: int
    holdout: bool
    say: Say
    program: tuple[str, ...] = (sys.executable, "-m", "rrnn_lit.cli")


def run_variants(variants: Sequence[Variant], place: Place) -> dict[str, str]:
    """Run what is not finished yet; return name -> end of its log for those that failed.

    Raises:
        ValueError: a folder holds the run of other options.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the training in progress has been saved.
    """
    for variant in variants:
        check_same_options(variant, place.out / variant.name)
    failed = {}
    with _sigterm_interrupts():
        for number, variant in enumerate(variants, start=1):
            head = f"[{number}/{len(variants)}] {variant.name}"
            problem = _run_variant(variant, head, place)
            if problem is not None:
                failed[variant.name] = problem
                place.say(f"{head}: failed\n{problem}")
    return failed


def check_same_options(variant: Variant, folder: Path) -> None:
    """Raise ValueError if a folder holds the run of a variant with other options."""
    path = folder / OPTIONS_FILE
    if not (folder / CONFIG_FILE).is_file() or not path.is_file():
        return
    then = _flat(yaml.safe_load(path.read_text(encoding="utf-8")))
    now = _flat(variant.options)
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            raise ValueError(
                f"{folder}: wanted the run of {variant.name} with {name} {now.get(name)}, got one "
                f"with {then.get(name)}; remove the folder or give another --out"
            )


def _flat(options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in options.items():
        inner = _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else None
        flat.update({f"{prefix}{name}": value} if inner is None else inner)
    return flat


def _run_variant(variant: Variant, head: str, place: Place) -> str | None:
    """Train a variant and count holdout if asked; return the end of the log of a failure."""
    folder = place.out / variant.name
    if is_finished(folder):
        place.say(f"{head}: finished before")
    else:
        is_begun = (folder / LAST_CHECKPOINT).is_file()
        place.say(f"{head}: {'goes on' if is_begun else 'starts'}; log: {folder / LOG_FILE}")
        folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(variant.options, sort_keys=False)
        write_text(folder / OPTIONS_FILE, text)
        fit = ("fit", "--config", str(folder / OPTIONS_FILE))
        own = ("--run.folder", str(folder), "--run.if_exists", "resume")
        problem = _run_command((*fit, *own), folder, head, place)
        if problem is None and not is_finished(folder):
            problem = "ended without a summary"
        if problem is not None:
            return problem
    if place.holdout and "holdout" not in read_summary(folder)["splits"]:
        test = ("test", "--config", str(folder / CONFIG_FILE), "--run.folder", str(folder))
        # the final weights, as all figures of tune and test
        last = ("--ckpt_path", str(folder / LAST_CHECKPOINT))
        return _run_command((*test, *last), folder, head, place)
    return None


def _run_command(arguments: tuple[str, ...], folder: Path, head: str, place: Place) -> str | None:
    """Run `rrnn` to its end; return the end of its log if it fails."""
    log = folder / LOG_FILE
    threads = {name: str(place.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    begin = log.stat().st_size if log.is_file() else 0
    with open(log, "ab") as file, folder_lock(folder) as descriptor:
        child = subprocess.Popen(
            [*place.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **threads},
            start_new_session=True,  # Ctrl-C in a terminal is for this process alone
            pass_fds=(descriptor,),  # were this process killed, the folder stays taken
        )
        try:
            _follow(child, folder / METRICS_FILE, head, place.say)
        finally:
            _stop(child)
    if child.returncode == 0:
        return None
    with open(log, "rb") as file:
        file.seek(begin)
        lines = file.read().decode("utf-8", "replace").splitlines()
    last = [f"    {line}" for line in lines if line.strip()][-_SHOWN_LINES:]
    return "\n".join([f"    exit code {child.returncode}", *last])


def _follow(child: subprocess.Popen[bytes], metrics: Path, head: str, say: Say) -> None:
    """Wait for the child and say what its evaluations find."""
    said = _last_evaluation(metrics)[0]
    while True:
        with suppress(subprocess.TimeoutExpired):
            child.wait(_POLL_S)
        step, rate = _last_evaluation(metrics)
        if step > said:
            said = step
            say(f"{head}: step {step:,}, {rate:.1%} of words of tune")
        if child.returncode is not None:
            return


def _last_evaluation(metrics: Path) -> tuple[int, float]:
    key = keys.split_key("tune", "matched_word_rate")
    records = read_metrics(metrics) if metrics.is_file() else []
    found = [(record["step"], record[key]) for record in records if key in record]
    return found[-1] if found else (0, 0.0)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Let a child that still runs save and end; kill it when it takes too long."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(_STOP_GRACE_S)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


@contextmanager
def folder_lock(folder: Path) -> Iterator[int]:
    """Hold a folder for this process and the children that inherit the descriptor it yields.

    Raises:
        ValueError: somebody else holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(
                f"{folder}: in use by another `rrnn compare`, or by a training that outlived it"
            ) from error
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C; without it the training in progress would go on alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
