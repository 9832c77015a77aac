import os
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import optuna
import pytest
import sqlalchemy

from rrnn_lit.search.storage import SweepStorage, masked, open_for_reading, open_storage
from tests.search.postgres import PASSWORD, PostgresServer

_HOLD = """
import sys
from rrnn_lit.search.storage import open_storage
storage = open_storage(sys.argv[1], num_workers=1)
print("open", flush=True)
sys.stdin.read()
"""


def _study(storage: SweepStorage, name: str = "one") -> optuna.Study:
    return optuna.create_study(storage=storage, study_name=name, direction="maximize")


@pytest.mark.parametrize(
    ("url", "num_workers", "complaint"),
    [
        ("sqlite:///x.db", 2, r"wanted one worker with an SQLite file, got 2; .*\b22 of 160"),
        ("sqlite:///x.db", 0, "wanted one worker"),
        ("sqlite://", 1, "wanted a file that outlives the process"),
        ("sqlite:///:memory:", 1, "wanted a file that outlives the process"),
        ("sqlite:///file:x?mode=memory&uri=true", 1, "wanted a file that outlives the process"),
        ("mysql://me:secret@host/x", 1, r"got one of 'mysql': 'mysql://me:\*\*\*@host/x'"),
        ("redis://host", 1, "wanted sqlite:///FILE or postgresql://"),
        ("study.log", 1, "wanted sqlite:///FILE or postgresql://"),
        ("postgresql://me@host:port/x", 1, "wanted sqlite:///FILE or postgresql://"),
    ],
)
def test_what_cannot_serve_a_sweep_is_refused(url: str, num_workers: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^storage: .*{complaint}"):
        open_storage(url, num_workers)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted an SQLite file, got the folder"):
        open_storage(f"sqlite:///{tmp_path}", 1)


def test_a_file_with_other_content_is_refused_and_can_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("no database, but long enough to be taken for the header of one" * 20)
    with pytest.raises(ValueError, match=r"^storage: cannot open .*not a database$"):
        open_storage(f"sqlite:///{path}", 1)
    path.unlink()
    open_storage(f"sqlite:///{path}", 1).close()


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ValueError, match=r"pip install 'rrnn_lit\[postgres\]'"):
        open_storage("postgresql://host/x", 2)


def test_a_relative_file_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    storage = open_storage("sqlite:///new/folder/sweep.db", 1)
    monkeypatch.chdir(tmp_path / "elsewhere")
    _study(storage)
    storage.close()
    reader = open_for_reading(f"sqlite:///{tmp_path}/new/folder/sweep.db")
    assert optuna.get_all_study_names(reader) == ["one"]
    reader.close()


def test_a_file_serves_one_process_until_that_one_dies(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sweep.db"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(ValueError, match=f"in use by process {holder.pid}; .* postgresql://"):
            open_storage(url, 1)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        open_storage(url, 1).close()


def test_a_file_serves_one_storage_of_a_process_until_it_is_closed(
    sqlite_storage: SweepStorage,
) -> None:
    url = str(sqlite_storage.engine.url)
    with pytest.raises(ValueError, match=f"in use by process {os.getpid()}"):
        open_storage(url, 1)
    sqlite_storage.close()
    open_storage(url, 1).close()


def test_reading_goes_on_beside_writing(sqlite_storage: SweepStorage) -> None:
    study = _study(sqlite_storage)
    reader = open_for_reading(str(sqlite_storage.engine.url))
    seen = optuna.load_study(study_name="one", storage=reader)
    for number in range(5):
        study.tell(study.ask(), float(number))
        assert [trial.value for trial in seen.trials] == [float(n) for n in range(number + 1)]
    reader.close()


def test_reading_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted an existing SQLite file"):
        open_for_reading(f"sqlite:///{tmp_path}/sweep.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(ValueError, match="no studies in"):
        open_for_reading(f"sqlite:///{tmp_path}/empty.db")
    assert [path.name for path in tmp_path.iterdir()] == ["empty.db"]
    assert (tmp_path / "empty.db").stat().st_size == 0


def test_reading_makes_no_tables(new_postgres_url: str) -> None:
    with pytest.raises(ValueError, match="no studies in"):
        open_for_reading(new_postgres_url)
    engine = sqlalchemy.create_engine(new_postgres_url.replace("://", "+psycopg://", 1))
    assert sqlalchemy.inspect(engine).get_table_names() == []
    engine.dispose()


def test_hosts_that_start_together_share_one_database(new_postgres_url: str) -> None:
    opened: list[SweepStorage] = []
    threads = [
        threading.Thread(target=lambda: opened.append(open_storage(new_postgres_url, 4)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    _study(opened[0])
    assert optuna.get_all_study_names(opened[5]) == ["one"]
    for storage in opened:
        storage.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host/x", "postgresql://me:***@host/x"),
        ("postgresql://me:se%40cret@host:5432/x", "postgresql://me:***@host:5432/x"),
        ("postgresql://me:s:e@c/ret@host/x", "postgresql://me:***@host/x"),
        ("postgresql://me:my secret@host/x", "postgresql://me:***@host/x"),
        ("postgresql://:secret@host/x", "postgresql://:***@host/x"),
        ("postgresql:///x?user=me&password=secret", "postgresql:///x?user=me&password=***"),
        ("postgresql://host/x?password=se%26cret&a=b", "postgresql://host/x?password=***&a=b"),
        ("postgresql://me:secret@host/x?password=too", "postgresql://me:***@host/x?password=***"),
        ("postgresql://me@host:5432/x", "postgresql://me@host:5432/x"),
        ("sqlite:////data/sweep.db", "sqlite:////data/sweep.db"),
    ],
)
def test_a_shown_url_has_no_password(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize(
    "rest",
    [
        "me:hush%20h%7Bu%7Dsh@127.0.0.1:1/x",
        "me:hush hush@127.0.0.1:1/x",
        "me@127.0.0.1:1/x?password=hush+%27hush%5C",
        "me:hush@127.0.0.1:1/x?nosuchoption=1&password=hush",
        "me:hush@127.0.0.1:one/x",
        "me:hush@host.invalid/x",
    ],
)
def test_a_failing_storage_does_not_tell_its_password(
    rest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="^storage: ") as caught:
        open_storage(f"postgresql://{rest}", 2)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    captured = capfd.readouterr()
    assert "hush" not in shown + captured.out + captured.err
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("password", [PASSWORD, "hush {x} 100%"])
def test_a_server_that_refuses_does_not_tell_the_password(
    postgres_server: PostgresServer, password: str
) -> None:
    with pytest.raises(ValueError, match="cannot open .*(does not exist|password auth)") as caught:
        open_storage(postgres_server.url("nosuchdatabase", password), 2)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert password not in shown
    assert password[:5] not in shown
