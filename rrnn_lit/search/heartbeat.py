"""The sign of life of a worker: an attribute of its trial that keeps changing."""

import math
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError

from rrnn_lit.search.attributes import BEAT, SILENCE, SPENT
from rrnn_lit.search.requeue import attempt_of
from rrnn_lit.search.retrying_storage import SweepStorage

if TYPE_CHECKING:
    from rrnn_lit.search.claims import Claim

_JOIN_S = 5.0
_FEWEST_BEATS = 4  # in the grace time: one that is late is no evidence of a death


class Heartbeat:
    """Beats from entering to leaving, also through outages of the database.

    The first beat is over when the context is entered: nothing is started for a trial that
    somebody else has by now.

    Attributes:
        lost: set when the trial is no longer RUNNING with this attempt: somebody took it over,
            or it has been told. It says nothing any more once the worker told the result itself.

    Args:
        storage: the study's storage.
        claim: the trial.
        interval_s: between two beats, seconds.
        grace_s: silence after which others take the trial over, seconds; they never do so
            earlier, whatever their own grace time is.
        spent_s: wall time of earlier attempts, which is kept up to date with every beat.
    """

    def __init__(
        self,
        storage: SweepStorage,
        claim: "Claim",
        interval_s: float,
        grace_s: float = math.inf,
        spent_s: float = 0.0,
    ) -> None:
        self.lost = threading.Event()
        self._storage = storage
        self._trial_id = claim.trial._trial_id
        self._attempt = claim.attempt
        self._interval_s = interval_s
        self._silence_s = max(grace_s, _FEWEST_BEATS * interval_s)
        self._spent_s = spent_s
        self._begin = self._last_beat = time.monotonic()
        self._done = threading.Event()
        # a daemon: a worker that ends must not wait for an absent database
        self._thread = threading.Thread(
            target=self._beat_until_done, name=f"heartbeat-{claim.trial.number}", daemon=True
        )

    def __enter__(self) -> Self:
        if self._beat(is_first=True):
            self._thread.start()
        else:
            self.lost.set()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def left_s(self) -> float:
        """Return the seconds for which the trial is surely this worker's if no beat succeeds.

        They end one interval before another worker can have it.
        """
        return self._last_beat + self._silence_s - self._interval_s - time.monotonic()

    def _beat_until_done(self) -> None:
        try:
            while not self._done.wait(self._interval_s):
                if not self._beat():
                    return
        finally:
            # without beats the trial is given to another worker sooner or later
            if not self._done.is_set():
                self.lost.set()

    def _beat(self, is_first: bool = False) -> bool:
        """Return whether to go on."""
        begin = time.monotonic()  # not the end: the storage may have tried for long
        try:
            attributes = self._storage.get_trial_system_attrs(self._trial_id)
            if attempt_of(attributes) != self._attempt:
                return False
            if is_first and math.isfinite(self._silence_s):
                self._set(SILENCE, self._silence_s)
            self._set(SPENT, round(self._spent_s + begin - self._begin, 3))
            # one more than what is stored: it changes whoever wrote the last one
            self._set(BEAT, int(attributes.get(BEAT, 0)) + 1)
        except (UpdateFinishedTrialError, KeyError):  # told by somebody; study deleted
            return False
        except StorageInternalError:
            return True  # away for longer than the storage waits: what others did shows later
        self._last_beat = begin
        return True

    def _set(self, key: str, value: float) -> None:
        self._storage.set_trial_system_attr(self._trial_id, key, value)
