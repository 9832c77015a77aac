"""Which errors of a database are worth another try, and how the others are told."""

import sqlite3

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)
# SQLSTATE classes of the server's "no" that stays "no": wrong password, no such database
_LASTING = ("28", "3D")


class StorageGoneError(StorageInternalError, ValueError):
    """The database does not answer or cannot be read; one line without the password."""


def driver_text(error: BaseException) -> str:
    """Return what the database's driver said, without the words that were put around it."""
    cause = error.__cause__ or error
    return str(getattr(cause, "orig", None) or cause)


def is_damaged(error: BaseException) -> bool:
    """Return whether the error says that an SQLite file is not whole."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    code = getattr(getattr(cause, "orig", None), "sqlite_errorcode", 0) & 0xFF
    return code in _DAMAGED


def is_lost_connection(error: BaseException) -> bool:
    """Return whether the same call may succeed later: database away, starting, full or locked."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, PendingRollbackError):
        return True
    if not isinstance(cause, DBAPIError):
        return False
    if isinstance(cause.orig, sqlite3.Error):
        # the same class stands for a missing table; the low byte tells
        code = getattr(cause.orig, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    state = getattr(cause.orig, "sqlstate", None) or ""
    return cause.connection_invalidated or (
        isinstance(cause, OperationalError | InterfaceError) and not state.startswith(_LASTING)
    )
