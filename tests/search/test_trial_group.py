"""Trials of several processes, and signals that reach all processes of a job."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rrnn_lit.search.trial_process import TrialJob, TrialProcess, TrialServer
from tests.search import several_processes
from tests.search.several_processes import FURTHER, LEFT, is_alive

WAIT_S = 20.0
Start = Callable[[str], TrialProcess]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end processes")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a trial of several processes; whatever still runs at the end is killed."""
    started: list[TrialProcess] = []

    def begin(mode: str) -> TrialProcess:
        server = TrialServer(several_processes.ENTRY, preload=())
        started.append(server.start(TrialJob(tmp_path, (str(tmp_path), mode), {}, threads=1)))
        for name in (FURTHER, LEFT):
            wait_for(tmp_path / name)
        return started[-1]

    yield begin
    for process in started:
        process.stop("end of the test", grace_s=0)


def wait_for(path: Path) -> None:
    end = time.monotonic() + WAIT_S
    while not path.exists():
        assert time.monotonic() < end, f"{path} was not written"
        time.sleep(0.01)


def assert_ended(folder: Path, *names: str) -> None:
    for name in names:
        pid = int((folder / name).read_text(encoding="utf-8"))
        end = time.monotonic() + WAIT_S
        while is_alive(pid):
            assert time.monotonic() < end, f"process {name} outlived its trial"
            time.sleep(0.01)


def test_a_run_starts_its_other_processes_with_the_same_entry(
    start: Start, tmp_path: Path
) -> None:
    assert start("ends").wait(WAIT_S) == 0
    assert int((tmp_path / FURTHER).read_text(encoding="utf-8")) > 0


def test_all_processes_of_a_trial_are_killed(start: Start, tmp_path: Path) -> None:
    assert start("deaf").stop("lost", grace_s=0) == -signal.SIGKILL
    assert_ended(tmp_path, FURTHER, LEFT)


def test_the_processes_of_a_killed_child_are_killed(start: Start, tmp_path: Path) -> None:
    process = start("deaf")
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(WAIT_S) == -signal.SIGKILL
    assert_ended(tmp_path, FURTHER, LEFT)


def test_only_the_child_is_asked_to_stop(start: Start, tmp_path: Path) -> None:
    assert start("saves").stop("pruned", grace_s=WAIT_S) == 75
    assert_ended(tmp_path, FURTHER, LEFT)
    assert not (tmp_path / "asked").exists()


@linux_only
def test_a_failed_process_leaves_the_exit_code_to_the_child(start: Start, tmp_path: Path) -> None:
    assert start("fails").wait(WAIT_S) == 79
    assert_ended(tmp_path, FURTHER)


HOST = """
import sys, time
from pathlib import Path
from rrnn_lit.search.trial_process import TrialJob, TrialServer
from tests.search import several_processes

if __name__ == "__main__":
    server = TrialServer(several_processes.ENTRY, preload=())
    server.start(TrialJob(Path(sys.argv[1]), (sys.argv[1], "deaf"), {}, 1))
    time.sleep(60)
"""


@linux_only
def test_the_processes_of_a_trial_die_with_the_host(tmp_path: Path) -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST, str(tmp_path)], start_new_session=True)
    try:
        for name in (FURTHER, LEFT):
            wait_for(tmp_path / name)
    finally:
        host.kill()
        host.wait()
    try:
        assert_ended(tmp_path, FURTHER)
    finally:  # it may have outlived the child, which kills its group if it has the time
        left = int((tmp_path / LEFT).read_text(encoding="utf-8"))
        if is_alive(left):
            os.kill(left, signal.SIGKILL)


def nap(arguments: list[str]) -> int:
    """Run as an entry that listens to no signal."""
    Path(arguments[0]).write_text(str(os.getppid()), encoding="utf-8")
    time.sleep(0.5)
    return 0


def test_a_clusters_warning_ends_neither_a_new_child_nor_the_fork_server(tmp_path: Path) -> None:
    server = TrialServer(f"{__name__}:nap", preload=())
    found = tmp_path / "fork_server"
    process = server.start(TrialJob(tmp_path, (str(found),), {}, threads=1))
    wait_for(found)
    while not (text := found.read_text(encoding="utf-8")):
        time.sleep(0.01)
    for pid in (process.pid, int(text)):
        os.kill(pid, signal.SIGUSR1)
    assert process.wait(WAIT_S) == 0
    assert is_alive(int(text))
