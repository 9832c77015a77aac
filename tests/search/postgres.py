"""A private PostgreSQL server: own folder, own port, gone at the end of the test session.

The server refuses to run as root, so root starts it as an ordinary user.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

MISSING = "no PostgreSQL server programs (initdb, postgres); `make services` installs them"
# % and braces, because URLs and Optuna's templates treat them in their own ways
PASSWORD = "geheim-7%{x}/@"
_USER = "sweeper"
_START_S = 20.0
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",  # no socket file: its path may not be longer than 107 bytes
    "shared_buffers=16MB",
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
)


def find_programs() -> Path | None:
    """Return the folder of the newest `initdb`, None if there is none."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    if config := shutil.which("pg_config"):
        shown = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(shown.stdout.strip()))
    if initdb := shutil.which("initdb"):
        folders.append(Path(initdb).resolve().parent)
    found = [
        each for each in folders if (each / "initdb").exists() and (each / "postgres").exists()
    ]
    return found[-1] if found else None


class PostgresServer:
    """A running server on 127.0.0.1 that asks for a password and keeps nothing on disk safe."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="rrnn-postgres-"))
        self._account = _ordinary_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        self._initialise()
        for attempts_left in (2, 1, 0):
            self.port = _free_port()
            try:
                self.start()
                break
            except RuntimeError:  # somebody else has taken the port meanwhile
                if not attempts_left:
                    raise

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """Return the URL as a user writes it, with the password."""
        return f"postgresql://{_USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Return the URL of a fresh empty database."""
        name = f"sweep{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def empty(self, url: str) -> None:
        """Delete all studies of a database, whoever may still look at it."""
        name = url.rpartition("/")[2]
        find = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with self._connect() as connection:
            connection.execute(find, [name])
        with self._connect(name) as connection:
            if connection.execute("SELECT to_regclass('studies')").fetchone() != (None,):
                connection.execute("TRUNCATE studies RESTART IDENTITY CASCADE")

    def start(self) -> None:
        """Start on the same port; return when connections are answered."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres",
                    *("-D", self._folder / "data", "-p", str(self.port)),
                    *(part for setting in _SETTINGS for part in ("-c", setting)),
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._account,
            )
        give_up = time.monotonic() + _START_S
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > give_up or self._process.poll() is not None:
                    raise RuntimeError((self._folder / "log").read_text()) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Drop every connection at once, like a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=10)
            self._process = None

    def close(self) -> None:
        """Stop and remove everything."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=_USER,
            password=PASSWORD,
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        )

    def _initialise(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD)
        if self._account:
            for path in (self._folder, password_file):
                shutil.chown(path, self._account["user"], self._account["group"])
        subprocess.run(
            [
                self._programs / "initdb",
                *("-D", self._folder / "data", "-U", _USER, "--pwfile", password_file),
                *("--auth=scram-sha-256", "--no-sync", "--no-locale", "--encoding=UTF8"),
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._account,
        )


def _ordinary_user() -> dict[str, Any]:
    """Return arguments of `subprocess` that give up root; empty for an ordinary user."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid}
    raise RuntimeError("PostgreSQL refuses root, and there is no user `postgres` or `nobody`")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
