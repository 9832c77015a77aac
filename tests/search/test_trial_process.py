import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.search.trial_process import TrialJob, TrialProcess, TrialServer
from tests.search import toy_trial
from tests.search.several_processes import is_alive

WAIT_S = 20.0
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="reads Linux's /proc"
)
# what SLURM, torchrun and Lightning say about a process among several
PLACES = {
    *("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE", "SLURM_NNODES"),
    *("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"),
    "TORCHELASTIC_RUN_ID",
}
Start = Callable[..., TrialProcess]


@pytest.fixture
def server() -> TrialServer:
    return TrialServer(toy_trial.ENTRY, preload=())


@pytest.fixture
def start(server: TrialServer, tmp_path: Path) -> Iterator[Start]:
    """Start a toy trial; whatever still runs at the end of the test is killed."""
    started: list[TrialProcess] = []

    def begin(mode: str = "good", server: TrialServer = server, **options: Any) -> TrialProcess:
        folder = tmp_path / f"trial-{len(started):04d}"
        content = {
            "model": {"learning_rate": 0.1},
            "trainer": {"max_steps": 4},
            "run": {"folder": str(folder)},
            "toy": {"modes": {folder.name: mode}, **options},
        }
        config = tmp_path / f"{folder.name}.yaml"
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        job = TrialJob(folder, ("fit", "--config", str(config)), {}, threads=1)
        started.append(server.start(job))
        return started[-1]

    yield begin
    for process in started:
        process.stop("end of the test", grace_s=0)


def wait_for(path: Path) -> None:
    end = time.monotonic() + WAIT_S
    while not (path.exists() and path.read_text(encoding="utf-8").endswith("\n")):
        assert time.monotonic() < end, f"{path} was not written"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("good", 0),
        ("oom", 71),
        ("system_exit", 3),
        ("exception", 1),
        ("sigkill", -signal.SIGKILL),
        ("preempted", 75),
    ],
)
def test_the_exit_code_is_the_childs(start: Start, mode: str, code: int) -> None:
    process = start(mode)
    assert process.wait(WAIT_S) == code
    assert process.poll() == code
    assert not is_alive(process.pid)


def test_exit_codes_of_many_children_of_many_threads_are_not_mixed_up(start: Start) -> None:
    modes = ["good", "oom", "nan", "system_exit"] * 3
    processes = [start(mode) for mode in modes]
    codes: dict[int, int | None] = {}

    def wait(number: int) -> None:
        while codes.get(number) is None:
            codes[number] = processes[number].wait(0.01)

    threads = [threading.Thread(target=wait, args=(n,)) for n in range(len(modes))]
    for thread in threads:
        thread.start()
    more = [start(mode) for mode in modes]
    for thread in threads:
        thread.join(WAIT_S)
    wanted = [{"good": 0, "oom": 71, "nan": 79, "system_exit": 3}[mode] for mode in modes]
    assert [codes[n] for n in range(len(modes))] == wanted
    assert [process.wait(WAIT_S) for process in more] == wanted


def test_output_and_traces_of_all_attempts_are_in_the_log(start: Start, tmp_path: Path) -> None:
    start("exception").wait(WAIT_S)
    folder = tmp_path / "trial-0000"
    job = TrialJob(folder, ("fit", "--config", str(tmp_path / "trial-0000.yaml")), {}, threads=1)
    TrialServer(toy_trial.ENTRY, preload=()).start(job).wait(WAIT_S)
    log = (folder / "log.txt").read_text(encoding="utf-8")
    assert log.count("starts with process") == 2
    assert log.count("RuntimeError: broken at step 3") == 2


def test_a_child_that_is_asked_to_stop_saves_and_says_75(start: Start, tmp_path: Path) -> None:
    process = start("busy")
    folder = tmp_path / "trial-0000"
    wait_for(folder / "metrics.jsonl")
    assert process.stop("pruned", grace_s=WAIT_S) == 75
    assert (folder / "stop_request").read_text(encoding="utf-8") == "pruned\n"
    assert (folder / "checkpoints" / "last.ckpt").exists()


def test_a_child_that_does_not_listen_is_killed(start: Start, tmp_path: Path) -> None:
    process = start("deaf")
    metrics = tmp_path / "trial-0000" / "metrics.jsonl"
    while not (metrics.exists() and len(metrics.read_bytes().splitlines()) > 3):
        time.sleep(0.01)
    assert process.stop("hung", grace_s=0.2) == -signal.SIGKILL


def test_without_grace_a_child_is_killed_unasked(start: Start, tmp_path: Path) -> None:
    process = start("busy")
    assert process.stop("lost", grace_s=0) == -signal.SIGKILL
    assert not (tmp_path / "trial-0000" / "stop_request").exists()


def test_stopping_a_child_that_has_ended_returns_its_code(start: Start, tmp_path: Path) -> None:
    process = start("nan")
    process.wait(WAIT_S)
    assert process.stop("pruned", grace_s=1) == 79
    assert not (tmp_path / "trial-0000" / "stop_request").exists()


def fork_server_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


@needs_proc
def test_signals_to_a_whole_job_leave_the_fork_server_to_its_children(
    start: Start, tmp_path: Path
) -> None:
    process = start("busy")
    wait_for(tmp_path / "trial-0000" / "metrics.jsonl")
    fork_server = fork_server_of(process.pid)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        os.kill(fork_server, number)
    assert process.stop("interrupted", grace_s=WAIT_S) == 75
    assert is_alive(fork_server)


@needs_proc
def test_a_killed_fork_server_takes_its_children_along_and_is_replaced(
    start: Start, tmp_path: Path
) -> None:
    process = start("busy")
    wait_for(tmp_path / "trial-0000" / "metrics.jsonl")
    os.kill(fork_server_of(process.pid), signal.SIGKILL)
    assert process.wait(WAIT_S) == -signal.SIGKILL
    end = time.monotonic() + WAIT_S
    while is_alive(process.pid):
        assert time.monotonic() < end, "two processes would write into one folder"
        time.sleep(0.01)
    assert start("oom").wait(WAIT_S) == 71


def probe(tmp_path: Path, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    server = TrialServer(f"{toy_trial.__name__}:probe", preload=())
    path = tmp_path / "found.json"
    job = TrialJob(tmp_path / "probe", (str(path),), environment or {}, threads=1)
    assert server.start(job).wait(WAIT_S) == 0
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_a_child_has_a_session_of_its_own_and_not_the_hosts_main(tmp_path: Path) -> None:
    found = probe(tmp_path)
    assert found["session"]
    assert found["main"] is None


def test_the_environment_is_the_hosts_of_now_and_the_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TrialServer(toy_trial.ENTRY, preload=())
    monkeypatch.setenv("TOY_OF_HOST", "late")
    found = probe(tmp_path, {"CUDA_VISIBLE_DEVICES": "5"})["environment"]
    assert found["TOY_OF_HOST"] == "late"
    assert found["CUDA_VISIBLE_DEVICES"] == "5"
    assert found["OMP_NUM_THREADS"] == "1"


def test_a_child_has_no_place_among_the_processes_of_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PLACES:
        monkeypatch.setenv(name, "3")
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    found = probe(tmp_path)["environment"]
    assert PLACES & found.keys() == set()
    assert found["SLURM_JOB_ID"] == "42"
    assert os.environ["SLURM_PROCID"] == "3"


def test_a_host_gives_its_place_up_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_PROCID", "3")
    TrialServer(toy_trial.ENTRY, preload=()).prepare()
    assert "SLURM_PROCID" not in os.environ  # nor in a fork server that is started later


def test_a_child_never_learns_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "postgresql://me:s3cret@host/db"
    monkeypatch.setenv("RRNN_STORAGE", secret)
    monkeypatch.setattr(sys, "argv", ["rrnn", "sweep", "--storage", secret])
    found = probe(tmp_path)
    assert "s3cret" not in json.dumps(found)
    assert os.environ["RRNN_STORAGE"] == secret


def test_a_temporary_folder_too_deep_for_a_socket_is_named(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    program = (
        "from rrnn_lit.search.trial_process import TrialServer\nTrialServer(preload=()).prepare()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(deep)},
        capture_output=True,
        text=True,
        check=False,
    )
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("OSError: TMPDIR: wanted a folder with a path of at most 70 characters")
    assert last.endswith(str(deep))


def test_resolve_returns_all_options(server: TrialServer, tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("model: {learning_rate: 0.1, decay: 0.5}\nseed: 3\n", encoding="utf-8")
    options = server.resolve(base, {"model.decay": 0.25})
    assert options == {"model": {"learning_rate": 0.1, "decay": 0.25}, "seed": 3}


def test_resolve_repeats_the_commands_complaint(server: TrialServer, tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("model: {}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="^wanted an option of the run, got unknown$"):
        server.resolve(base, {"unknown": 1})
