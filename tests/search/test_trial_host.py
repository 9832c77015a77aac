"""What the processes of a sweep see of their host, and what becomes of them with it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.search.several_processes import is_alive
from tests.search.test_trial_process import fork_server_of, needs_proc, wait_for

HOST = """
import os, sys, time
from pathlib import Path
from rrnn_lit.search.trial_process import TrialJob, TrialServer

if __name__ == "__main__":
    folder, config = Path(sys.argv[1]), sys.argv[2]
    server = TrialServer("tests.search.toy_trial:main", preload=())
    server.prepare()
    process = server.start(TrialJob(folder, ("fit", "--config", config), {}, 1))
    print(process.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A host with a secret on its command line and in its environment, and its busy child."""
    folder = tmp_path / "trial-0000"
    content = {
        "model": {"learning_rate": 0.1},
        "trainer": {"max_steps": 4},
        "run": {"folder": str(folder)},
        "toy": {"modes": {folder.name: "busy"}},
    }
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    script = tmp_path / "host.py"
    script.write_text(HOST, encoding="utf-8")
    command = [sys.executable, str(script), str(folder), str(config), "--storage=s3cret"]
    secrets = {"RRNN_STORAGE": "s3cret", "PGPASSWORD": "s3cret"}
    environment = {**os.environ, **secrets, "SLURM_PROCID": "3"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        wait_for(folder / "metrics.jsonl")
        yield process, pid
        process.kill()


def test_a_child_dies_with_its_host(host: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = host
    assert is_alive(pid)
    process.kill()
    end = time.monotonic() + 2
    while is_alive(pid):
        assert time.monotonic() < end, "the child outlived its host"
        time.sleep(0.01)


@needs_proc
def test_no_secret_is_visible_in_the_processes_of_a_host(
    host: tuple[subprocess.Popen[str], int],
) -> None:
    process, pid = host
    fork_server = fork_server_of(pid)
    assert fork_server != process.pid
    for number in (pid, fork_server):
        for name in ("cmdline", "environ"):
            assert b"s3cret" not in Path(f"/proc/{number}/{name}").read_bytes()


@needs_proc
def test_the_fork_server_loads_nothing_as_one_of_several_processes(
    host: tuple[subprocess.Popen[str], int],
) -> None:
    _, pid = host
    # Lightning reads its place once, when it is loaded
    for number in (pid, fork_server_of(pid)):
        assert b"SLURM_PROCID" not in Path(f"/proc/{number}/environ").read_bytes()


def test_ctrl_c_at_the_host_does_not_reach_the_child(
    host: tuple[subprocess.Popen[str], int],
) -> None:
    process, pid = host
    assert os.getpgid(pid) != os.getpgid(process.pid)
