"""Signals to `rrnn sweep run` while no trial runs: before the first and after the last."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rrnn_lit.search.storage import open_for_reading
from tests.search.toy_studies import write_study

_MARK = "MARK_OF_SLOW_TRIAL"
_CODE = """
import sys
from functools import partial
from rrnn_lit.search import trial_process
from rrnn_lit.search.cli import main
if __name__ == "__main__":
    trial_process.TrialServer = partial(trial_process.TrialServer, sys.argv[1], ())
    sys.exit(main(sys.argv[2:]))
"""
_TOY, _SLOW = "tests.search.toy_trial:main", f"{__name__}:slow"
_ENDINGS = [
    (signal.SIGTERM, 75, "stopped by SIGTERM"),
    (signal.SIGUSR1, 75, "stopped by SIGUSR1"),
    (signal.SIGINT, 130, "interrupted"),
]
Host = Callable[[str, Path], "subprocess.Popen[str]"]


def slow(arguments: list[str]) -> int:
    """Check the options of a run for longer than a test may take."""
    Path(os.environ[_MARK]).touch()
    time.sleep(300)
    return 0


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder with a short name: there are limits for those of sockets."""
    with tempfile.TemporaryDirectory(prefix="rrnn-") as folder:
        yield Path(folder)


@pytest.fixture
def start(tmp_path: Path, temporary: Path) -> Host:
    def run(entry: str, study: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", _CODE, entry, "run", str(study), "--trials", "1"]
        variables = {
            "RRNN_STORAGE": f"sqlite:///{tmp_path}/studies.db",
            "TMPDIR": str(temporary),
            _MARK: str(tmp_path / "mark"),
        }
        return subprocess.Popen(
            [*command, "--out", str(tmp_path / "out")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )

    return run


def check_end(
    host: "subprocess.Popen[str]", number: signal.Signals, code: int, text: str, temporary: Path
) -> None:
    host.send_signal(number)
    _, errors = host.communicate(timeout=30)
    assert errors == f"rrnn sweep: {text}; the same command goes on\n"
    assert host.returncode == code
    left = [p.name for p in temporary.iterdir() if p.name.startswith("rrnn-")]
    assert left == []


@pytest.mark.parametrize(("number", "code", "text"), _ENDINGS)
def test_a_signal_while_the_study_file_is_read_is_told(
    start: Host,
    tmp_path: Path,
    temporary: Path,
    number: signal.Signals,
    code: int,
    text: str,
) -> None:
    study = tmp_path / "study.yaml"
    os.mkfifo(study)  # who reads it waits
    with start(_TOY, study) as host, study.open("w"):
        try:
            check_end(host, number, code, text, temporary)
        finally:
            host.kill()


@pytest.mark.parametrize(("number", "code", "text"), _ENDINGS)
def test_a_signal_while_the_options_are_checked_is_told(
    start: Host,
    tmp_path: Path,
    temporary: Path,
    number: signal.Signals,
    code: int,
    text: str,
) -> None:
    with start(_SLOW, write_study(tmp_path)) as host:
        try:
            while not (tmp_path / "mark").exists() and host.poll() is None:
                time.sleep(0.02)
            check_end(host, number, code, text, temporary)
        finally:
            host.kill()
    assert not (tmp_path / "studies.db").exists()


def test_a_signal_after_the_last_trial_is_told(
    start: Host, tmp_path: Path, temporary: Path
) -> None:
    with start(_TOY, write_study(tmp_path)) as host:
        assert host.stdout is not None
        try:
            # the pictures come behind the table
            while "study toys ended" not in (line := host.stdout.readline()):
                assert line, host.communicate()
            check_end(host, signal.SIGTERM, 75, "stopped by SIGTERM", temporary)
        finally:
            host.kill()
    open_for_reading(f"sqlite:///{tmp_path}/studies.db").close()


def test_a_child_whose_folder_is_gone_ends_without_a_word(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from rrnn_lit.search.trial_child import ChildPlan, run;"
        f"file = Path({str(tmp_path)!r}, 'gone', 'stdout');"
        "run(ChildPlan('builtins:print', (), {}, 0, file, file))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (child.returncode, child.stdout, child.stderr) == (1, "", "")
