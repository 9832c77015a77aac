"""Which database a sweep may live in, and how its URL is shown without the password.

Two kinds: an SQLite file for one worker, a PostgreSQL database for any number of workers. Others
are refused: Optuna's journal file turns read-only after a torn record, and neither it nor Redis
nor a gRPC proxy has the locks that claims need.
"""

import re
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import sqlalchemy
from sqlalchemy.exc import ArgumentError

_WANTED = "wanted sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
# what is no URL may be a password anywhere, so nothing of it is repeated
_NOT_SHOWN = f"{_WANTED}, got another form (not shown here: it may hold a password)"
_ENCODE = (
    f"{_WANTED}; in the user and the password write %40 for @, %2F for /, %3F for ? and %3A for :"
)
# greedy: a password that was not percent-encoded may hold any character, `@` and `/` too
_BEFORE_HOST = re.compile(r"(?i)(://[^:/@]*?)(?::|%3A)(.*)@")
# the host was forgotten: what stands in the place of a port is none
_NO_PORT = re.compile(r"(://[^:/@\s\[]*):(?!\d{1,5}(?!\w)|\*\*\*@)([^/?\s]+)")
_IN_QUERY = re.compile(r"(?i)([?&;\s]\w*(?:pass|pwd|secret)\w*=)([^&;\s]*)")
_LARGEST_PORT = 65535
_SHORTEST_PIECE = 4  # characters; shorter ones are in any text
# libpq's own way to notice a server that is gone without a word; milliseconds in the last one
_CONNECTION_LIMITS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SQLITE_BUSY_S = 30.0


def masked(url: str) -> str:
    """Return the URL with each password in it, also one in the query, replaced by `***`."""
    text = _NO_PORT.sub(r"\1:***", _BEFORE_HOST.sub(r"\1:***@", url))
    return _IN_QUERY.sub(r"\1***", text)


def without_secrets(text: str, url: str) -> str:
    """Return the first line of `text` without the passwords of `url`, however they are written."""
    line = (text.strip().splitlines() or [""])[0]
    found = [match[2] for each in (_BEFORE_HOST, _IN_QUERY) for match in each.finditer(url)]
    secrets = {part for each in found for part in (each, unquote(each), unquote_plus(each))}
    # a driver that takes an `@` for the end of the password tells the rest as a host
    secrets |= {
        piece for each in secrets for piece in each.split("@") if len(piece) >= _SHORTEST_PIECE
    }
    for secret in sorted(secrets, key=len, reverse=True):
        escaped = secret.replace("\\", "\\\\")  # as libpq's connection strings have it
        for written in (secret, quote(secret, safe=""), quote_plus(secret), escaped):
            if written:
                line = line.replace(written, "***")
    return line


def parse(url: str) -> sqlalchemy.URL:
    """Return the URL of an SQLite file (absolute) or of a PostgreSQL database (psycopg 3).

    Raises:
        ValueError: it is neither, or its user and password are not clearly told from the rest;
            psycopg is not installed.
    """
    try:
        parsed = sqlalchemy.make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is a plain ValueError
        raise ValueError(f"storage: {_NOT_SHOWN}") from None
    if parsed.get_backend_name() != "sqlite" or parsed.username:  # a file may have any name
        _want_plain_parts(url, parsed)
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _postgresql(parsed)
    raise ValueError(f"storage: {_WANTED}, got one of {parsed.drivername!r}: {masked(url)!r}")


def _want_plain_parts(url: str, parsed: sqlalchemy.URL) -> None:
    """Refuse what a driver would split elsewhere than its writer meant, without repeating it."""
    before_host = url.partition("://")[2].rpartition("@")[0]
    if re.search(r"[@/?]", before_host) or re.search(r"[:?=\s]", parsed.username or ""):
        raise ValueError(f"storage: {_ENCODE}")
    if (parsed.port or 0) > _LARGEST_PORT or re.search(r"[;=]", parsed.database or ""):
        raise ValueError(f"storage: {_NOT_SHOWN}")


def is_sqlite(url: sqlalchemy.URL) -> bool:
    """Return whether the database is a file of ours."""
    return url.get_backend_name() == "sqlite"


def connect_arguments(url: sqlalchemy.URL) -> dict[str, object]:
    """Return what the driver gets beside the URL: time limits, unless the URL sets them."""
    if is_sqlite(url):
        return {"timeout": _SQLITE_BUSY_S}  # another process may be reading
    return {name: value for name, value in _CONNECTION_LIMITS.items() if name not in url.query}


def _sqlite(parsed: sqlalchemy.URL) -> sqlalchemy.URL:
    if parsed.host or not parsed.database or parsed.database.startswith((":memory:", "file:")):
        raise ValueError(
            "storage: wanted a file that outlives the process, as in sqlite:///runs/sweep.db,"
            f" got {parsed.render_as_string()!r}"
        )
    path = Path(parsed.database).resolve()  # once: the working directory may change
    if path.is_dir():
        raise ValueError(f"storage: wanted an SQLite file, got the folder {path}")
    return parsed.set(drivername="sqlite", database=str(path))


def _postgresql(parsed: sqlalchemy.URL) -> sqlalchemy.URL:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise ValueError(
            "storage: PostgreSQL needs psycopg; pip install 'rrnn_lit[postgres]'"
        ) from None
    return parsed.set(drivername="postgresql+psycopg")
