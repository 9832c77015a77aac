"""Opening the database of a sweep: who may use it, and complaints in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from rrnn_lit.search.file_lock import FileLock
from rrnn_lit.search.retrying_storage import SweepStorage
from rrnn_lit.search.storage_url import (
    connect_arguments,
    is_sqlite,
    masked,
    parse,
    without_secrets,
)

__all__ = ["SweepStorage", "WorkersError", "masked", "open_for_reading", "open_storage"]

_TABLES_LOCK = 0x72726E6E  # of the database, while tables are made
_STUDIES_TABLE = "studies"


class WorkersError(ValueError):
    """More workers than the kind of database can serve."""


def open_storage(url: str, num_workers: int, patience_s: float = 60.0) -> SweepStorage:
    """Return the storage for running a sweep; an SQLite file and its folder are made if missing.

    Args:
        url: `sqlite:///FILE` or `postgresql://...`; a relative file is taken from the working
            directory.
        num_workers: workers of this process.
        patience_s: how long a call waits while the database is away, seconds.

    Raises:
        ValueError: another kind of database; SQLite in use by another process; no answer within a
            few seconds.
        WorkersError: SQLite with more than one worker.
    """
    parsed = parse(url)
    if not is_sqlite(parsed):
        return _connect(parsed, patience_s, None)
    if num_workers != 1:
        raise WorkersError(
            f"storage: wanted one worker with an SQLite file, got {num_workers}; SQLite has no row"
            " locks, so two workers can be handed the same trial (22 of 160 trials with 8 workers"
            " of Optuna's own queue); use a postgresql:// storage for more workers"
        )
    path = Path(str(parsed.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        return _connect(parsed, patience_s, lock)
    except BaseException:
        lock.release()
        raise


def open_for_reading(url: str) -> SweepStorage:
    """Return the storage for looking at studies, also while a sweep uses it; nothing is made.

    Raises:
        ValueError: no such file, no studies in the database, or no answer.
    """
    parsed = parse(url)
    if is_sqlite(parsed) and not Path(str(parsed.database)).is_file():
        raise ValueError(f"storage: wanted an existing SQLite file, got {parsed.database}")
    return _connect(parsed, 10.0, None, must_exist=True)


def _connect(
    url: sqlalchemy.URL, patience_s: float, lock: FileLock | None, must_exist: bool = False
) -> SweepStorage:
    """Try the connection, then open; hosts that start together make the tables once."""
    with _one_line(url), _trial_engine(url).connect() as connection:
        if must_exist and not sqlalchemy.inspect(connection).has_table(_STUDIES_TABLE):
            raise ValueError(f"storage: no studies in {masked(str(url))}")
        if not is_sqlite(url):
            connection.execute(
                sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(_TABLES_LOCK))
            )
        return SweepStorage(url, patience_s, lock)


def _trial_engine(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(
        url, connect_args=connect_arguments(url), poolclass=sqlalchemy.NullPool
    )


@contextmanager
def _one_line(url: sqlalchemy.URL) -> Iterator[None]:
    """Turn what the driver and Optuna raise into a `ValueError` without the password."""
    try:
        yield
    except (SQLAlchemyError, OptunaError, OSError, RuntimeError) as error:
        plain = url.render_as_string(hide_password=False)
        cause = without_secrets(str(getattr(error, "orig", None) or error), plain)
        # not chained: the driver's text may hold the password
        raise ValueError(f"storage: cannot open {masked(plain)}: {cause}") from None
