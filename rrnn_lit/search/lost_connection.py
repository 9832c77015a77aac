"""Which errors of a database are worth another try."""

import sqlite3

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError

# SQLSTATE classes of the server's "no" that stays "no": wrong password, no such database
_LASTING = ("28", "3D")


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
