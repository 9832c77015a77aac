"""Finds the trials whose worker is gone, without comparing clocks of two machines.

An observer keeps, per RUNNING trial, for how long it has seen the same attempt and beat, on its
own monotonic clock. That also covers a death between the claim and the first beat.

Of a worker that beats less often than the observer thinks, it waits for the time that this worker
has left word of.

A worker cannot beat while the database is away. So an observer starts anew after each call that
lost the connection, and between two observations it never counts more than a third of the grace
time: an outage, a suspended machine or a rare look at the study is no evidence of a death.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search.attributes import BEAT, SILENCE
from rrnn_lit.search.requeue import attempt_of, put_back_dead
from rrnn_lit.search.retrying_storage import SweepStorage


@dataclass
class _Seen:
    sign: tuple[int, int]  # attempt and beat
    silent_s: float = 0.0


class Reaper:
    """One observer; it needs at least four calls of `reap` to call a trial dead.

    Args:
        grace_s: silence after which a trial is dead, seconds, unless its worker left word of a
            longer time; more than the 2 s that a worker may need to notice that the database is
            back.
        clock: seconds that only grow; the wall clock is not suited.

    Attributes:
        longest_s: silence that the trials seen last need at most, seconds.
        watched_s: what counts of the time since the first look, or since a lost connection.
    """

    def __init__(self, grace_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._grace_s = self.longest_s = grace_s
        self.watched_s = 0.0
        self._clock = clock
        self._seen: dict[int, _Seen] = {}
        self._last_look: float | None = None
        self._losses = 0
        self._guard = threading.Lock()

    def reap(self, study: optuna.Study, storage: SweepStorage) -> list[int]:
        """Put dead trials back and return their numbers.

        A trial that was killed too often is told FAIL with reason `killed` instead.
        """
        with self._guard:
            running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            dead = self._look(running, storage.losses)
            return [trial.number for trial in dead if put_back_dead(study, storage, trial)]

    def _look(self, running: list[FrozenTrial], losses: int) -> list[FrozenTrial]:
        now = self._clock()
        passed_s = 0.0 if self._last_look is None else now - self._last_look
        counted_s = min(passed_s, self._grace_s / 3)
        self._last_look = now
        self.watched_s += counted_s
        if losses != self._losses:
            self._losses = losses
            self._seen.clear()
            self.watched_s = 0.0
        seen = {}
        self.longest_s = max([self._grace_s, *map(self._needed_s, running)])
        for trial in running:
            attributes = trial.system_attrs
            sign = (attempt_of(attributes), int(attributes.get(BEAT, 0)))
            before = self._seen.get(trial._trial_id)
            if before is None or before.sign != sign:
                seen[trial._trial_id] = _Seen(sign)
            else:
                seen[trial._trial_id] = before
                before.silent_s += counted_s
        self._seen = seen
        return [t for t in running if seen[t._trial_id].silent_s >= self._needed_s(t)]

    def _needed_s(self, trial: FrozenTrial) -> float:
        return max(self._grace_s, float(trial.system_attrs.get(SILENCE, 0.0)))
