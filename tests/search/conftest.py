"""Storages for the tests of sweeps: an SQLite file, a private PostgreSQL server."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import pytest

from rrnn_lit.search.cli import main
from rrnn_lit.search.storage import SweepStorage, open_storage
from rrnn_lit.search.trial_process import TrialServer
from tests.search import toy_trial
from tests.search.postgres import MISSING, PostgresServer, find_programs
from tests.search.services import do_without
from tests.search.toy_studies import Sweep


@pytest.fixture(autouse=True)
def _quiet_optuna() -> Iterator[None]:
    """One line per study and trial belongs to nobody's test."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture(scope="session")
def _empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Optuna's empty tables: making them is most of the time of a short test."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    open_storage(f"sqlite:///{path}", num_workers=1).close()
    return path


@pytest.fixture
def sqlite_storage(tmp_path: Path, _empty_sqlite: Path) -> Iterator[SweepStorage]:
    shutil.copyfile(_empty_sqlite, tmp_path / "sweep.db")
    storage = open_storage(f"sqlite:///{tmp_path}/sweep.db", num_workers=1)
    yield storage
    storage.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    programs = find_programs()
    if programs is None:
        do_without(MISSING)
    server = PostgresServer(programs)
    yield server
    server.close()


@pytest.fixture
def new_postgres_url(postgres_server: PostgresServer) -> str:
    """URL of a database without tables, password included."""
    return postgres_server.new_database()


@pytest.fixture(scope="session")
def _shared_postgres_url(postgres_server: PostgresServer) -> str:
    return postgres_server.new_database()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, _shared_postgres_url: str) -> str:
    """URL of a database without studies: Optuna's tables are made once."""
    postgres_server.empty(_shared_postgres_url)
    return _shared_postgres_url


@pytest.fixture
def postgres_storage(postgres_url: str) -> Iterator[SweepStorage]:
    storage = open_storage(postgres_url, num_workers=8)
    yield storage
    storage.close()


@pytest.fixture
def lose_next_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[SweepStorage], None]:
    """Carry out the next commit of a storage in an SQLite file, then report a lost connection."""

    def arm(storage: SweepStorage) -> None:
        dialect = storage.engine.dialect
        commit = dialect.do_commit

        def commit_and_fail(connection: Any) -> None:
            commit(connection)
            monkeypatch.setattr(dialect, "do_commit", commit)
            error = sqlite3.OperationalError("answer lost")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error

        monkeypatch.setattr(dialect, "do_commit", commit_and_fail)

    return arm


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Run `rrnn sweep` with toy trials and an SQLite file."""
    monkeypatch.setattr(
        "rrnn_lit.search.trial_process.TrialServer", partial(TrialServer, toy_trial.ENTRY, ())
    )
    monkeypatch.setenv("RRNN_STORAGE", f"sqlite:///{tmp_path}/studies.db")

    def run(line: str, *more: str | Path) -> int:
        command, *rest = line.split()
        out = ["--out", str(tmp_path / "out")] if command in ("run", "extend") else []
        return main([command, *rest, *map(str, more), *out])

    return run
