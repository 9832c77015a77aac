"""Secrets of the environment, of the command line and of addresses are in no file written."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.faults.canaries import ended
from tests.search.postgres import MISSING, PASSWORD, PostgresServer, find_programs
from tests.search.services import do_without
from tests.training.tiny import tiny_config

Got = Callable[[str], None]
KEY = "5ec2e7" * 6 + "abcd"  # as long as W&B's
GIT, ARGUMENT, PG = "ghp_gitgeheim17", "argumentgeheim17", "pggeheim17"
SECRETS = {
    "W&B key": KEY,
    "database password": PASSWORD,
    "database password in an address": quote(PASSWORD, safe=""),
    "git token": GIT,
    "argument": ARGUMENT,
    "PGPASSWORD": PG,
}
STUDY = """
base: {base}
budget: {{steps: 4}}
seed: 1
objective: {{metric: tune/matched_words, direction: maximize}}
space: {{model.learning_rate: {{distribution: uniform, low: 0.01, high: 0.02}}}}
stopping: {{trials: 1}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    programs = find_programs()
    if programs is None:
        do_without(MISSING)
    server = PostgresServer(programs)
    yield server
    server.close()


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for TMPDIR whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="rrnn-") as name:
        yield Path(name)


@pytest.fixture
def place(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, prepared_folder: Path
) -> Path:
    """A checkout whose remote has a token in its address, and a config that has W&B on."""
    work = tmp_path / "work"
    work.mkdir()
    remote = f"https://someone:{GIT}@example.org/a.git"
    subprocess.run(["git", "init", "-q", work], check=True)
    subprocess.run(["git", "-C", work, "remote", "add", "origin", remote], check=True)
    config = tiny_config(
        prepared_folder, work / "run", {"wandb.enabled": True, "trainer.max_steps": 4}
    )
    (work / "c.yaml").write_text(yaml.safe_dump(config))
    for name, value in {
        "WANDB_MODE": "offline",
        "WANDB_API_KEY": KEY,
        "PGPASSWORD": PG,
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(scratch),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WANDB_SILENT", raising=False)
    (tmp_path / "home").mkdir()
    return work


def hits(folder: Path, said: str) -> list[str]:
    """Return which secrets are in which files, or in what was printed."""
    found = [f"{name}: printed" for name, secret in SECRETS.items() if secret in said]
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path != folder / "work/.git/config":
            content = path.read_bytes()
            found += [
                f"{name}: {path.relative_to(folder)}"
                for name, secret in SECRETS.items()
                if secret.encode() in content
            ]
    return found


def num_files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


@pytest.mark.promise(26)
@pytest.mark.timeout(120)
def test_a_run_writes_no_secret(
    place: Path, tmp_path: Path, scratch: Path, got: Got, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"postgresql://me:{quote(PASSWORD, safe='')}@host/db"

    def before() -> None:
        os.chdir(place)
        os.environ["RRNN_STORAGE"] = address
        sys.argv = ["rrnn", "fit", "--storage", address, ARGUMENT]

    code = ended("fit", "--config", place / "c.yaml", before=before)
    said = "".join(capfd.readouterr())
    found = hits(tmp_path, said) + hits(scratch, "")
    number = num_files(place / "run")
    got(f"{len(found)} hits in {number} files of a run")
    assert code == 0
    assert list((place / "run").glob("wandb/offline-run-*/*.wandb"))
    assert found == []


@pytest.mark.promise(26)
@pytest.mark.timeout(180)
def test_a_sweep_writes_no_secret(
    place: Path,
    tmp_path: Path,
    scratch: Path,
    server: PostgresServer,
    got: Got,
    capfd: pytest.CaptureFixture[str],
) -> None:
    study = place / "study.yaml"
    study.write_text(STUDY.format(base=place / "c.yaml"))
    storage = server.new_database()
    out = ("--out", place / "sweeps")
    run = subprocess.run(
        [sys.executable, "-m", "rrnn_lit.cli", "sweep", "run", study, "--storage", storage, *out],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    ended("sweep", "export", "study", "--storage", storage, "--out", place / "export")
    wrong = storage.replace(quote(PASSWORD, safe=""), quote(f"{PASSWORD}x", safe=""))
    for broken in (wrong, storage.replace("127.0.0.1", "127.0.0.1:x"), storage.replace("//", "/")):
        assert ended("sweep", "show", "study", "--storage", broken) != 0
    said += "".join(capfd.readouterr())
    found = hits(tmp_path, said) + hits(scratch, "")
    got(f"{len(found)} hits in {num_files(tmp_path)} files of a sweep")
    assert len(list(place.glob("sweeps/study/trial-*/metrics.jsonl"))) == 1
    assert list(place.glob("sweeps/study/**/*.wandb"))
    assert found == []


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "log").write_bytes(b"\0" + KEY.encode() + b"\0")
    assert hits(tmp_path, f"token {GIT}") == ["git token: printed", "W&B key: a/log"]
