"""One attempt of one trial: what a worker does from its options to what Optuna is told."""

import math
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search import attributes
from rrnn_lit.search.attempt_end import describe_end, early_end, size_of, with_value
from rrnn_lit.search.claims import Claim, Heartbeat, finish_trial, requeue
from rrnn_lit.search.endings import (
    DATA,
    HOPELESS,
    HUNG,
    INTERRUPTED,
    LOST,
    PRUNED,
    TIMEOUT,
    Ending,
    judge,
)
from rrnn_lit.search.fence import Fence
from rrnn_lit.search.requeue import attempt_of, ends_of
from rrnn_lit.search.space import suggest
from rrnn_lit.search.sweep_options import Sweep
from rrnn_lit.search.trial_files import (
    MissingCheckpointError,
    TrialPlace,
    trial_folder,
    write_trial,
)
from rrnn_lit.search.trial_log import TrialLog
from rrnn_lit.search.trial_owner import check_owner, folder_lock
from rrnn_lit.search.trial_process import LOG_FILE, TrialJob, TrialProcess
from rrnn_lit.training.run_folder import METRICS_FILE

_FOLDER_WAIT_S = 10.0
_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "fail": TrialState.FAIL,
}
_GONE = Ending(LOST, "retry", False, "somebody else has or had the trial")


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


class RefusedError(ValueError):
    """The first trial of a study was refused: it is not the draw that is wrong."""


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
        self._spent_s = 0.0  # by earlier attempts

    def running(self) -> RunningTrial:
        """Return what the live view shows."""
        value = self._log.last.get(self._sweep.definition.metric)
        number, attempt = self._trial.number, self._claim.attempt
        return RunningTrial(number, attempt, self._log.step, value, self._started)

    def run(self) -> tuple[Ending, str]:
        """Run the trial, tell Optuna, and return how it ended and the detail for people.

        Whatever goes wrong here instead of in the child puts the trial back and is raised.
        """
        storage, options = self._sweep.storage, self._sweep.options
        try:
            before = storage.get_trial(self._id)
            self._known = set(before.intermediate_values)
            self._spent_s = _spent_s(before)
            with Heartbeat(
                storage, self._claim, options.beat_s, options.grace_s, self._spent_s
            ) as heartbeat:
                return self._run(heartbeat)
        except UpdateFinishedTrialError:  # another host told its result, or somebody by hand
            return _GONE, ""
        except BaseException:
            with suppress(Exception):  # the database may be what is wrong
                self._requeue(INTERRUPTED, counted=False)
            raise

    def _run(self, heartbeat: Heartbeat) -> tuple[Ending, str]:
        """Settle the folder, and run the trial in it once no other worker is there."""
        if heartbeat.lost.is_set():
            return _GONE, ""
        options, place = self._sweep.options, self._place()
        values = suggest(self._trial, self._sweep.definition.space)
        try:
            folder = trial_folder(place)
        except MissingCheckpointError as error:
            ending = Ending(DATA, "fail", False, str(error))
            self._tell(ending, ending.detail)
            return ending, ending.detail
        check_owner(folder, place.owner)  # before the lock, which writes into the folder

        def is_over() -> bool:
            return heartbeat.lost.is_set() or self._stopping.is_set()

        with folder_lock(folder, min(_FOLDER_WAIT_S, options.grace_s), is_over) as is_held:
            if not is_held:
                ending = Ending(INTERRUPTED, "retry", False, f"{folder}: in use by another worker")
                self._requeue(ending.reason, ending.counted)
                return ending, ending.detail
            return self._run_in(folder, place, values, heartbeat)

    def _run_in(
        self, folder: Path, place: TrialPlace, values: dict[str, Any], heartbeat: Heartbeat
    ) -> tuple[Ending, str]:
        definition, options = self._sweep.definition, self._sweep.options
        _, arguments = write_trial(definition, place, values)
        self._trial.set_user_attr(attributes.FOLDER, str(folder))
        self._log = TrialLog(folder / METRICS_FILE, definition.metric, definition.steps)
        log_size = size_of(folder / LOG_FILE)
        environment = {} if self._gpu is None else {"CUDA_VISIBLE_DEVICES": self._gpu}
        job = TrialJob(folder, arguments, environment, options.threads)
        asked, code = self._follow(self._sweep.server.start(job), heartbeat)
        if heartbeat.lost.is_set():
            self._requeue(LOST, counted=False)  # it has no effect if somebody took the trial over
            return _GONE, ""
        self._report()  # what it wrote while it was stopped
        ending = with_value(judge(code, asked, self._earlier()), self._log, definition.metric)
        if ending.verdict == "complete":
            self._tell(ending, early_end(folder, definition.steps))
            return ending, ending.detail
        detail = describe_end(ending, folder / LOG_FILE, log_size)
        if ending.reason in HOPELESS and not self._has_any_ended():
            last = detail.rpartition("\n")[2]
            raise RefusedError(
                f"trial {self._trial.number}: {last}; no trial has ended yet, so "
                "it waits until the options or the data are mended"
            )
        self._tell(ending, detail if ending.verdict == "fail" else None)
        return ending, detail

    def _has_any_ended(self) -> bool:
        return any(t.state.is_finished() for t in self._sweep.study.get_trials(deepcopy=False))

    def _place(self) -> TrialPlace:
        study = self._sweep.study.user_attrs
        return TrialPlace(
            out=self._sweep.options.out,
            root=study.get(attributes.RUNG_OF, self._sweep.definition.name),
            number=self._trial.number,
            origin=self._trial.user_attrs.get(attributes.ORIGIN),
            token=study.get(attributes.TOKEN, ""),
        )

    def _follow(self, process: TrialProcess, heartbeat: Heartbeat) -> tuple[str | None, int]:
        """Stay with the child to its end; return why it was stopped and its exit code."""
        grace_s = self._sweep.options.stop_grace_s
        with Fence(heartbeat, process.pid):
            try:
                asked = self._watch(process, heartbeat)
                if asked is not None:
                    process.stop(asked, 0.0 if asked == LOST else grace_s)
            except (UpdateFinishedTrialError, KeyError):  # told by others; the study was deleted
                process.stop(LOST, 0.0)
                raise
            finally:
                code = process.stop(INTERRUPTED, grace_s)  # none outlives its worker
        return asked, code

    def _watch(self, process: TrialProcess, heartbeat: Heartbeat) -> str | None:
        """Follow the child to its end; return why it is to be stopped, None if it has ended."""
        limits = self._sweep.definition.limits
        begin = time.monotonic()  # the child runs: the imports of the first one are done
        lines, last_line = 0, begin
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
            if limits.seconds is not None and now - begin > limits.seconds:
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

    def _tell(self, ending: Ending, detail: str | None) -> None:
        """Tell Optuna how the attempt ended, unless somebody else has the trial by now."""
        sweep, claim = self._sweep, self._claim
        if not self._is_ours():
            return
        self._note_figures()
        if ending.verdict == "retry":
            self._requeue(ending.reason, ending.counted)
            return
        is_complete = ending.verdict == "complete"
        value = self._log.last[sweep.definition.metric] if is_complete else None
        reason = ending.reason if ending.verdict == "fail" else None
        state = _STATES[ending.verdict]
        finish_trial(sweep.study, sweep.storage, claim, state, value, reason, detail)

    def _is_ours(self) -> bool:
        trial = self._sweep.storage.get_trial(self._id)
        is_same = attempt_of(trial.system_attrs) == self._claim.attempt
        return trial.state is TrialState.RUNNING and is_same

    def _note_figures(self) -> None:
        figures = {k: v if math.isfinite(v) else None for k, v in self._log.last.items()}
        seconds = round(self._spent_s + time.monotonic() - self._begin, 3)
        self._trial.set_user_attr(attributes.FIGURES, figures)
        self._trial.set_user_attr(attributes.SECONDS, seconds)

    def _requeue(self, reason: str, counted: bool) -> None:
        sweep, attempt = self._sweep, self._claim.attempt
        requeue(sweep.study, sweep.storage, self._id, attempt, reason, counted)


def _spent_s(trial: FrozenTrial) -> float:
    """Return the wall time of earlier attempts, also of those killed with their host."""
    told = float(trial.user_attrs.get(attributes.SECONDS, 0.0))
    return max(told, float(trial.system_attrs.get(attributes.SPENT, 0.0)))
