"""One attempt of one trial: what a worker does from its options to what Optuna is told."""

import math
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from rrnn_lit.search import attributes
from rrnn_lit.search.claims import Claim, Heartbeat, finish_trial, requeue
from rrnn_lit.search.endings import (
    ERROR,
    HUNG,
    INTERRUPTED,
    LOST,
    NAN,
    PRUNED,
    TIMEOUT,
    Ending,
    judge,
)
from rrnn_lit.search.requeue import attempt_of, ends_of
from rrnn_lit.search.space import suggest
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import Definition
from rrnn_lit.search.trial_files import TrialPlace, write_trial
from rrnn_lit.search.trial_log import TrialLog
from rrnn_lit.search.trial_process import LOG_FILE, TrialJob, TrialProcess, TrialServer
from rrnn_lit.training.run_folder import METRICS_FILE

_DETAIL_LINES, _DETAIL_CHARACTERS = 20, 4000
_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "fail": TrialState.FAIL,
}


@dataclass(frozen=True)
class SweepOptions:
    """How a host runs its trials.

    Attributes:
        out: folder of all studies.
        num_workers: trials at a time.
        threads: threads of each trial; 0 leaves it to torch.
        gpus: devices that the workers take in turn, as in CUDA_VISIBLE_DEVICES; none: as is.
        beat_s: seconds between signs of life.
        grace_s: seconds without one after which a trial counts as dead.
        poll_s: seconds between looks at a trial.
        stop_grace_s: seconds a trial has to save when it is stopped.
    """

    out: Path
    num_workers: int
    threads: int
    gpus: tuple[str, ...]
    beat_s: float = 10.0
    grace_s: float = 60.0
    poll_s: float = 0.5
    stop_grace_s: float = 30.0


@dataclass(frozen=True)
class Sweep:
    """What all workers of a host share."""

    study: optuna.Study
    definition: Definition
    storage: SweepStorage
    server: TrialServer
    options: SweepOptions


@dataclass(frozen=True)
class RunningTrial:
    """A trial at work, for the live view.

    Attributes:
        number: of the trial.
        attempt: 0 for the first.
        step: of the last line it logged; 0 before it.
        value: last value of the objective; None before it.
        started: seconds since 1970.
    """

    number: int
    attempt: int
    step: int
    value: float | None
    started: float


class Attempt:
    """One attempt of one trial.

    Args:
        sweep: what the workers share.
        claim: the trial, which this worker has.
        gpu: device of the worker; None for as is.
        stopping: set when the host is to stop.
    """

    def __init__(
        self, sweep: Sweep, claim: Claim, gpu: str | None, stopping: threading.Event
    ) -> None:
        self._sweep = sweep
        self._claim = claim
        self._trial = claim.trial
        self._id = claim.trial._trial_id  # no public name
        self._gpu = gpu
        self._stopping = stopping
        self._log = TrialLog(Path(), "")
        self._known: set[int] = set()  # steps that Optuna has a value of
        self._begin = time.monotonic()
        self._started = time.time()

    def running(self) -> RunningTrial:
        """Return what the live view shows."""
        value = self._log.last.get(self._sweep.definition.metric)
        number, attempt = self._trial.number, self._claim.attempt
        return RunningTrial(number, attempt, self._log.step, value, self._started)

    def run(self) -> tuple[Ending, str]:
        """Run the trial, tell Optuna, and return how it ended and the detail for people.

        Whatever goes wrong here instead of in the child puts the trial back and is raised.
        """
        sweep = self._sweep
        try:
            with Heartbeat(sweep.storage, self._claim, sweep.options.beat_s) as heartbeat:
                return self._run(heartbeat)
        except BaseException:
            with suppress(Exception):  # the database may be what is wrong
                self._requeue(INTERRUPTED, counted=False)
            raise

    def _run(self, heartbeat: Heartbeat) -> tuple[Ending, str]:
        sweep, options = self._sweep, self._sweep.options
        values = suggest(self._trial, sweep.definition.space)
        folder, arguments = write_trial(sweep.definition, self._place(), values)
        self._trial.set_user_attr(attributes.FOLDER, str(folder))
        self._log = TrialLog(folder / METRICS_FILE, sweep.definition.metric)
        self._known = set(sweep.storage.get_trial(self._id).intermediate_values)
        log_size = _size(folder / LOG_FILE)
        environment = {} if self._gpu is None else {"CUDA_VISIBLE_DEVICES": self._gpu}
        process = sweep.server.start(TrialJob(folder, arguments, environment, options.threads))
        try:
            asked = self._watch(process, heartbeat)
            if asked is not None:
                grace = 0.0 if asked == LOST else options.stop_grace_s
                process.stop(asked, grace)
        finally:
            code = process.stop(INTERRUPTED, options.stop_grace_s)  # none outlives its worker
        if asked != LOST:
            self._report()  # what it wrote while it was stopped
        ending = self._with_value(judge(code, asked, self._earlier()))
        lines = _last_lines(folder / LOG_FILE, log_size)
        detail = f"{ending.detail}\n{lines}"[-_DETAIL_CHARACTERS:].strip()
        if asked != LOST:
            self._tell(ending, detail)
        return ending, detail

    def _place(self) -> TrialPlace:
        study = self._sweep.study.user_attrs
        return TrialPlace(
            out=self._sweep.options.out,
            root=study.get(attributes.RUNG_OF, self._sweep.definition.name),
            number=self._trial.number,
            origin=self._trial.user_attrs.get(attributes.ORIGIN),
            token=study.get(attributes.TOKEN, ""),
        )

    def _watch(self, process: TrialProcess, heartbeat: Heartbeat) -> str | None:
        """Follow the child to its end; return why it is to be stopped, None if it has ended."""
        limits = self._sweep.definition.limits
        lines, last_line = 0, time.monotonic()
        while True:
            has_ended = process.wait(self._sweep.options.poll_s) is not None
            if heartbeat.lost.is_set():
                return LOST
            if self._report() and not has_ended:
                return PRUNED
            now = time.monotonic()
            if self._log.lines > lines:
                lines, last_line = self._log.lines, now
            if has_ended:
                return None
            if self._stopping.is_set():
                return INTERRUPTED
            if limits.seconds is not None and now - self._begin > limits.seconds:
                return TIMEOUT
            if now - last_line > limits.no_progress_seconds:
                return HUNG

    def _report(self) -> bool:
        """Report new values; return whether the pruner wants the trial to end.

        It is asked after every value, not only after the last of several: what it answers then
        does not depend on how often this is called. After the last step there is nothing to save.
        """
        prune = False
        for step, value in self._log.new_values():
            if step in self._known:  # from an earlier attempt
                continue
            self._known.add(step)
            self._trial.report(value, step)
            is_last = step >= self._sweep.definition.steps
            prune = prune or (not is_last and self._trial.should_prune())
        return prune

    def _earlier(self) -> list[str]:
        ends = ends_of(self._sweep.storage.get_trial_system_attrs(self._id))
        return [reason for reason, _ in ends]

    def _with_value(self, ending: Ending) -> Ending:
        """Make a failure of a complete trial that has no value to compare."""
        metric = self._sweep.definition.metric
        value = self._log.last.get(metric)
        if ending.verdict != "complete" or (value is not None and math.isfinite(value)):
            return ending
        if value is None:
            return Ending(ERROR, "fail", False, f"no value of {metric} in {METRICS_FILE}")
        return Ending(NAN, "fail", False, f"the last value of {metric} is {value}")

    def _tell(self, ending: Ending, detail: str) -> None:
        """Tell Optuna how the attempt ended, unless somebody else has the trial by now."""
        with suppress(UpdateFinishedTrialError):  # who had it has told its result
            if not self._is_ours():
                return
            self._note_figures()
            if ending.verdict == "fail":
                self._trial.set_user_attr(attributes.REASON, ending.reason)
                self._trial.set_user_attr(attributes.DETAIL, detail)
        if ending.verdict == "retry":
            self._requeue(ending.reason, ending.counted)
            return
        is_complete = ending.verdict == "complete"
        value = self._log.last[self._sweep.definition.metric] if is_complete else None
        state = _STATES[ending.verdict]
        finish_trial(self._sweep.study, self._sweep.storage, self._claim, state, value)

    def _is_ours(self) -> bool:
        trial = self._sweep.storage.get_trial(self._id)
        is_same = attempt_of(trial.system_attrs) == self._claim.attempt
        return trial.state is TrialState.RUNNING and is_same

    def _note_figures(self) -> None:
        figures = {k: v if math.isfinite(v) else None for k, v in self._log.last.items()}
        before = self._trial.user_attrs.get(attributes.SECONDS, 0.0)
        seconds = round(before + time.monotonic() - self._begin, 3)
        self._trial.set_user_attr(attributes.FIGURES, figures)
        self._trial.set_user_attr(attributes.SECONDS, seconds)

    def _requeue(self, reason: str, counted: bool) -> None:
        sweep, attempt = self._sweep, self._claim.attempt
        requeue(sweep.study, sweep.storage, self._id, attempt, reason, counted)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _last_lines(path: Path, begin: int) -> str:
    """Return the last lines of a log behind an offset."""
    if not path.exists():
        return ""
    with open(path, "rb") as file:
        file.seek(max(begin, _size(path) - _DETAIL_LINES * _DETAIL_CHARACTERS))
        text = file.read().decode(errors="replace")
    return "\n".join(text.rstrip().split("\n")[-_DETAIL_LINES:])
