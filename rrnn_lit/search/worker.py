"""SweepHost: worker threads of one process that run the trials of one study.

Any number of hosts may share a study; each sees to the dead trials of all.
"""

import threading
import time
from collections.abc import Callable

import optuna

from rrnn_lit.search import attributes
from rrnn_lit.search.attempt import Attempt, RunningTrial
from rrnn_lit.search.claims import Reaper, claim_trial, requeue_all_running
from rrnn_lit.search.endings import HOPELESS, Ending
from rrnn_lit.search.stop_rule import result_states, stop_reason
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import Definition
from rrnn_lit.search.sweep_options import Sweep, SweepOptions
from rrnn_lit.search.trial_process import TrialServer

__all__ = ["RunningTrial", "SweepHost", "SweepOptions"]

WAS_STOPPED = "interrupted"
_MOST_HOPELESS = 3  # in a row
_WATCH_S = 1.0
_IDLE_S = 2.0  # between looks of a worker that waits for the trials of others


class SweepHost:
    """Runs a study until it has its results.

    Args:
        study: the study.
        definition: what it is.
        storage: its storage.
        server: starts the children.
        options: of this host.
        wanted: results (complete and pruned trials) that the study shall have.
    """

    def __init__(
        self,
        study: optuna.Study,
        definition: Definition,
        storage: SweepStorage,
        server: TrialServer,
        options: SweepOptions,
        wanted: int,
    ) -> None:
        self._sweep = Sweep(study, definition, storage, server, options)
        self._options = options
        self._wanted = wanted
        self._results = result_states(definition)
        self._draws = attributes.RUNG_OF not in study.user_attrs
        self._num_working = 0
        self._nobody_works = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._attempts: dict[int, Attempt] = {}
        self._hopeless = 0
        self._reason: str | None = None
        self._error: BaseException | None = None

    def run(self, watch: Callable[[], None] | None = None) -> str:
        """Run until the study is done or the host is stopped; return why it ended.

        However it ends, no child is left, and trials that were at work wait to be continued.

        Args:
            watch: called about once a second, in the calling thread.

        Raises:
            ValueError: the study was deleted meanwhile, or a run folder belongs to another study.
            Exception: what else went wrong in a worker, if it was not a trial.
        """
        try:
            self._run(watch)
        except KeyError as error:
            if self._is_there():
                raise
            name = self._sweep.definition.name
            raise ValueError(f"study {name}: it was deleted while this host ran it") from error
        return self._reason or WAS_STOPPED

    def _run(self, watch: Callable[[], None] | None) -> None:
        self._sweep.server.prepare()
        if self._sweep.storage.engine.dialect.name == "sqlite":
            # one process at a time: nobody can be alive
            requeue_all_running(self._sweep.study, self._sweep.storage)
        threads = [
            threading.Thread(target=self._work, args=(number,), name=f"worker-{number}")
            for number in range(self._options.num_workers)
        ]
        self._num_working = len(threads)
        for thread in threads:
            thread.start()
        try:
            self._look_after(watch)
        finally:
            self.stop()
            for thread in threads:
                thread.join()
        if self._error is not None:
            raise self._error

    def _is_there(self) -> bool:
        try:
            self._sweep.storage.get_study_name_from_id(self._sweep.study._study_id)
        except KeyError:
            return False
        return True

    def stop(self) -> None:
        """Let the host end soon: children save and end, their trials wait to be continued."""
        self._stopping.set()

    def running(self) -> list[RunningTrial]:
        """Return the trials at work, by number."""
        with self._lock:
            attempts = list(self._attempts.values())
        return sorted((attempt.running() for attempt in attempts), key=lambda t: t.number)

    def _look_after(self, watch: Callable[[], None] | None) -> None:
        """Watch and reap while the workers work.

        Here, and not between trials: dead trials are known when a worker is free again. An event
        is waited for and not a thread: a thread that Ctrl-C interrupts the join of counts as ended
        for Python 3.11, and `run` would leave it behind.
        """
        reaper = Reaper(self._options.grace_s)
        interval = min(_WATCH_S, self._options.grace_s / 4)
        next_reap = next_watch = time.monotonic()
        while not self._nobody_works.wait(interval):
            now = time.monotonic()
            if watch is not None and now >= next_watch:
                next_watch = now + _WATCH_S
                watch()
            if now >= next_reap:
                next_reap = now + self._options.grace_s / 4
                reaper.reap(self._sweep.study, self._sweep.storage)

    def _work(self, number: int) -> None:
        """Run trials until there is nothing more to do."""
        gpus = self._options.gpus
        gpu = gpus[number % len(gpus)] if gpus else None
        idle_s = min(_IDLE_S, 4 * self._options.poll_s)
        try:
            while not self._is_done():
                claim = claim_trial(
                    self._sweep.study,
                    self._sweep.storage,
                    self._wanted,
                    self._results,
                    self._draws,
                )
                if claim is None:
                    # trials of others may fail and have to be replaced
                    self._stopping.wait(idle_s)
                    continue
                attempt = Attempt(self._sweep, claim, gpu, self._stopping)
                self._attend(number, attempt)
        except BaseException as error:
            with self._lock:
                self._error = self._error or error
            self.stop()
        finally:
            with self._lock:
                self._num_working -= 1
                if self._num_working == 0:
                    self._nobody_works.set()

    def _is_done(self) -> bool:
        if self._stopping.is_set() or self._reason is not None:
            return True
        sweep = self._sweep
        trials = sweep.study.get_trials(deepcopy=False)
        reason = stop_reason(trials, sweep.definition, self._wanted)
        if reason is None and not self._draws and all(t.state.is_finished() for t in trials):
            reason = "all trials of the rung have ended, some failed"
        if reason is not None:
            self._set_reason(reason)
        return reason is not None

    def _attend(self, number: int, attempt: Attempt) -> None:
        with self._lock:
            self._attempts[number] = attempt
        try:
            ending, detail = attempt.run()
        finally:
            with self._lock:
                del self._attempts[number]
        self._count_hopeless(ending, detail)

    def _count_hopeless(self, ending: Ending, detail: str) -> None:
        with self._lock:
            if ending.verdict in ("complete", "pruned", "fail"):
                self._hopeless = self._hopeless + 1 if ending.reason in HOPELESS else 0
            is_over = self._hopeless >= _MOST_HOPELESS
        if is_over:
            last = detail.split("\n")[-1]
            self._set_reason(f"{_MOST_HOPELESS} trials in a row were refused: {last}")

    def _set_reason(self, reason: str) -> None:
        with self._lock:
            self._reason = self._reason or reason
