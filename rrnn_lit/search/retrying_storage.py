"""Optuna's relational storage that rides out an absent database.

Each call of Optuna is repeated while the connection is lost. The answer to a commit can be lost
though the commit took place, so a repeated call must find out what the first one did:

- attributes, parameters and reported values are written again, which changes nothing;
- a state that is stored already as asked is a success;
- a trial may have been created twice. The one nobody knows of is RUNNING and never beats, so the
  reaper puts it back and it is claimed like any other.
"""

import functools
import hashlib
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TypeVar

import sqlalchemy
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rrnn_lit.search.attributes import ATTEMPT, ENDS
from rrnn_lit.search.file_lock import FileLock
from rrnn_lit.search.lost_connection import (
    StorageGoneError,
    driver_text,
    is_damaged,
    is_lost_connection,
)
from rrnn_lit.search.storage_url import connect_arguments, is_sqlite, masked, without_secrets

_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 2.0
# a holder that hangs loses its lock after this time; the server's side notices a dead machine
_LOCK_SETTINGS = {
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

T = TypeVar("T")


class SweepStorage(RDBStorage):
    """A storage whose calls wait for an absent database, together up to `patience_s` seconds.

    Args:
        url: of an SQLite file or a PostgreSQL database, as `storage_url.parse` returns it.
        patience_s: how long the database may be away; afterwards each call raises
            `StorageGoneError` after one try, until one succeeds.
        file_lock: released by `close`; None where several processes may use the database.
    """

    def __init__(
        self, url: sqlalchemy.URL, patience_s: float, file_lock: FileLock | None = None
    ) -> None:
        self.patience_s = patience_s
        self._file_lock = file_lock
        self._closed = threading.Event()
        self._inside = threading.local()  # .call: an outer call of this thread does the waiting
        self._lost_at: float | None = None  # since when no call of any thread was answered
        self._num_losses = itertools.count(1)
        self.losses = 0
        self._locks: dict[str, threading.Lock] = {}
        self._locks_guard = threading.Lock()
        self._jitter = random.Random()  # not the global generator: that one belongs to the user
        text = url.render_as_string(hide_password=False)
        options: dict[str, Any] = {"connect_args": connect_arguments(url)}
        if not is_sqlite(url):
            # a claim holds two connections: never let workers wait for each other's
            options |= {"pool_pre_ping": True, "max_overflow": -1}
        # Optuna fills a template here; a password may hold braces
        super().__init__(text.replace("{", "{{").replace("}", "}}"), engine_kwargs=options)

    def close(self) -> None:
        """End waiting calls and give back connections and the file; a second call is allowed."""
        self._closed.set()
        self.scoped_session.remove()
        self.engine.dispose()
        if self._file_lock is not None:
            self._file_lock.release()

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the lock of the study `name` against all threads, processes and machines.

        Not to be taken twice by one thread. An outage frees it on the server, so what is done
        under it must be safe on its own for the one trial it concerns. Two processes never share
        an SQLite file, there threads are all there is.
        """
        with self._locks_guard:
            local = self._locks.setdefault(name, threading.Lock())
        with local:
            if is_sqlite(self.engine.url):
                yield
                return
            connection = self._persist(lambda _: self._hold(name))
            try:
                yield
            finally:
                with suppress(SQLAlchemyError):  # connection lost: so is the lock
                    connection.rollback()
                with suppress(SQLAlchemyError):
                    connection.close()

    def _hold(self, name: str) -> sqlalchemy.Connection:
        key = int.from_bytes(hashlib.sha256(f"rrnn {name}".encode()).digest()[:8], signed=True)
        connection = self.engine.connect()
        try:
            settings = (func.set_config(*each, True) for each in _LOCK_SETTINGS.items())
            connection.execute(sqlalchemy.select(*settings))
            # of the transaction, not of the session: it cannot be left in a pooled connection
            connection.execute(sqlalchemy.select(func.pg_advisory_xact_lock(key)))
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        return connection

    def put_back(self, trial_id: int, attempt: int, ends: Sequence[tuple[str, bool]]) -> bool:
        """Make a trial WAITING if it is RUNNING with this attempt; return whether that was so.

        One transaction, so that no death can leave half of it.

        Args:
            trial_id: Optuna's id of the trial.
            attempt: what the caller takes to be the trial's attempt; grows by one.
            ends: [reason, counted] of all attempts up to this one.
        """
        wanted = [list(end) for end in ends]

        def once(repeated: bool) -> bool:
            with Session(self.engine) as session, session.begin():
                trial = models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
                rows = _attempt_rows(session, trial_id)
                current, stored = (json.loads(rows[key].value_json) for key in (ATTEMPT, ENDS))
                if repeated and current == attempt + 1:
                    return bool(stored == wanted)  # the first try was done
                if trial.state != TrialState.RUNNING or current != attempt:
                    return False
                rows[ATTEMPT].value_json = json.dumps(attempt + 1)
                rows[ENDS].value_json = json.dumps(wanted)
                trial.state = TrialState.WAITING
                return True

        return self._persist(once)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Do as Optuna does; a repeated call succeeds if the first one did."""

        def once(repeated: bool) -> bool:
            try:
                return super(SweepStorage, self).set_trial_state_values(trial_id, state, values)
            except UpdateFinishedTrialError:
                if repeated:
                    stored = super(SweepStorage, self).get_trial(trial_id)
                    if stored.state == state and (values is None or stored.values == list(values)):
                        return True
                raise

        return self._persist(once)

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        """Do as Optuna does; call it under the name's lock, so that a repeated call is right."""

        def once(repeated: bool) -> int:
            try:
                return super(SweepStorage, self).create_new_study(directions, study_name)
            except DuplicatedStudyError:
                if repeated and study_name is not None:
                    return self.get_study_id_from_name(study_name)
                raise

        return self._persist(once)

    def delete_study(self, study_id: int) -> None:
        """Do as Optuna does; a repeated call need not find the study."""

        def once(repeated: bool) -> None:
            with suppress(*((KeyError,) if repeated else ())):
                super(SweepStorage, self).delete_study(study_id)

        self._persist(once)

    def _persist(self, call: Callable[[bool], T]) -> T:
        """Return what `call` returns; it is told whether an earlier try may have been done."""
        if getattr(self._inside, "call", False):
            return call(False)
        self._inside.call = True
        try:
            return self._persist_outermost(call)
        finally:
            self._inside.call = False

    def _persist_outermost(self, call: Callable[[bool], T]) -> T:
        lost_at: float | None = None
        for tries in itertools.count():
            try:
                result = call(tries > 0)
            except Exception as error:
                if not is_lost_connection(error):
                    self._lost_at = None
                    if is_damaged(error):
                        self._give_up("cannot read", "", error)
                    raise
                self.losses = next(self._num_losses)
                # several calls in a row must not each wait that long
                shared = self._lost_at
                known = [at for at in (lost_at, shared) if at is not None]
                lost_at = min(known, default=time.monotonic())
                self._lost_at = lost_at if shared is None else shared
                self._wait(tries, time.monotonic() - lost_at, error)
            else:
                self._lost_at = None
                return result
        raise AssertionError("counting ends never")

    def _wait(self, tries: int, waited_s: float, error: Exception) -> None:
        delay_s = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** min(tries, 10))
        delay_s *= self._jitter.uniform(0.5, 1.0)  # workers do not come back all at once
        delay_s = min(delay_s, self.patience_s - waited_s)
        is_over = delay_s <= 0 or self._closed.wait(delay_s)
        with suppress(SQLAlchemyError):  # a session with an error in it refuses the next call
            self.scoped_session.remove()
        if is_over:
            self._give_up("no answer from", f" for {waited_s:.0f} s", error)

    def _give_up(self, what: str, how_long: str, error: Exception) -> NoReturn:
        url = self.engine.url.render_as_string(hide_password=False)
        cause = without_secrets(driver_text(error), url)
        # not chained: the driver's text may hold the password
        raise StorageGoneError(f"storage: {what} {masked(url)}{how_long}: {cause}") from None


def _attempt_rows(session: Session, trial_id: int) -> dict[str, Any]:
    """Return the rows of the two attributes; new ones are part of the session."""
    model: Any = models.TrialSystemAttributeModel  # made at import of Optuna: without types
    found = session.scalars(
        sqlalchemy.select(model).where(model.trial_id == trial_id, model.key.in_((ATTEMPT, ENDS)))
    )
    rows = {row.key: row for row in found}
    for key, value in ((ATTEMPT, "0"), (ENDS, "[]")):
        if key not in rows:
            rows[key] = model(trial_id=trial_id, key=key, value_json=value)
            session.add(rows[key])
    return rows


def _repeated(name: str) -> Callable[..., Any]:
    plain = getattr(RDBStorage, name)

    @functools.wraps(plain)
    def method(self: SweepStorage, *args: Any, **kwargs: Any) -> Any:
        return self._persist(lambda _: plain(self, *args, **kwargs))

    return method


# what Optuna's cache, which wraps every relational storage, calls beside the public methods
_CALLED_BY_CACHE = ("_create_new_trial", "_get_best_trial_id", "_get_trials", "_set_trial_param")
_NO_DATABASE = ("check_trial_is_updatable", "remove_session")
_CALLS = {name for name in dir(BaseStorage) if not name.startswith("_")} - {*_NO_DATABASE}
for _name in _CALLS.union(_CALLED_BY_CACHE) - {*vars(SweepStorage)}:
    setattr(SweepStorage, _name, _repeated(_name))
