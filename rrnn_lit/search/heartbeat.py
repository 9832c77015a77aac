"""The sign of life of a worker: an attribute of its trial that keeps changing."""

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError

from rrnn_lit.search.attributes import BEAT
from rrnn_lit.search.requeue import attempt_of
from rrnn_lit.search.retrying_storage import SweepStorage

if TYPE_CHECKING:
    from rrnn_lit.search.claims import Claim

_JOIN_S = 5.0


class Heartbeat:
    """Beats from entering to leaving, also through outages of the database.

    Attributes:
        lost: set when the trial is no longer RUNNING with this attempt: somebody took it over,
            or it has been told. It says nothing any more once the worker told the result itself.

    Args:
        storage: the study's storage.
        claim: the trial.
        interval_s: between two beats, seconds.
    """

    def __init__(self, storage: SweepStorage, claim: "Claim", interval_s: float) -> None:
        self.lost = threading.Event()
        self._storage = storage
        self._trial_id = claim.trial._trial_id
        self._attempt = claim.attempt
        self._interval_s = interval_s
        self._done = threading.Event()
        # a daemon: a worker that ends must not wait for an absent database
        self._thread = threading.Thread(
            target=self._beat_until_done, name=f"heartbeat-{claim.trial.number}", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join(_JOIN_S)

    def _beat_until_done(self) -> None:
        try:
            while self._beat():
                if self._done.wait(self._interval_s):
                    return
        finally:
            # without beats the trial is given to another worker sooner or later
            if not self._done.is_set():
                self.lost.set()

    def _beat(self) -> bool:
        """Return whether to go on."""
        try:
            attributes = self._storage.get_trial_system_attrs(self._trial_id)
            if attempt_of(attributes) != self._attempt:
                return False
            # one more than what is stored: it changes whoever wrote the last one
            beat = int(attributes.get(BEAT, 0)) + 1
            self._storage.set_trial_system_attr(self._trial_id, BEAT, beat)
        except (UpdateFinishedTrialError, KeyError):  # told by somebody; study deleted
            return False
        except StorageInternalError:
            return True  # away for longer than the storage waits: what others did shows later
        return True
