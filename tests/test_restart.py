"""The recipes in configs/restart, run with stand-ins for `rrnn`, `srun` and `scontrol`."""

import configparser
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[1] / "configs" / "restart"
KILLED = 128 + signal.SIGKILL
# ends with the next code of its list; `137c` is a kill behind a new checkpoint
_RRNN = """#!/bin/sh
echo "$@" >> {folder}/calls
code=$(head -n 1 {folder}/codes)
sed -i 1d {folder}/codes
case $code in
*c) touch {folder}/run/checkpoints/last.ckpt; code=${{code%c}} ;;
wait | asks)
    trap 'exit 75' TERM
    [ $code = wait ] || kill -TERM $PPID
    touch {folder}/waits
    while :; do sleep 0.05; done ;;
esac
[ "$code" -le 128 ] || kill -9 $$
exit "$code"
"""
_SRUN = '#!/bin/sh\nwhile case $1 in --*) ;; *) false ;; esac; do shift; done\nexec "$@"\n'
_SCONTROL = '#!/bin/sh\necho "$@" >> {folder}/requeues\n'
# asks the loop to stop when it is called for the n-th time, which is just before the n-th start
_TOUCH = """#!/bin/sh
echo >> {folder}/touches
[ $(wc -l < {folder}/touches) -ne {number} ] || kill -TERM $PPID
exec {touch} "$@"
"""
Prepare = Callable[[Sequence[str]], dict[str, str]]


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """Write the stand-ins, `rrnn` with its exit codes; return the environment that finds them."""

    def write(codes: Sequence[str]) -> dict[str, str]:
        (tmp_path / "run" / "checkpoints").mkdir(parents=True, exist_ok=True)
        (tmp_path / "codes").write_text("\n".join(codes) + "\n")
        for name, text in (("rrnn", _RRNN), ("srun", _SRUN), ("scontrol", _SCONTROL)):
            (tmp_path / name).write_text(text.format(folder=tmp_path))
            (tmp_path / name).chmod(0o755)
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "TMPDIR": str(tmp_path), "SLURM_JOB_ID": "42", "WAIT": "0"}
        return {**os.environ, **own}

    return write


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize(
    ("codes", "starts", "end"),
    [
        (["0"], 1, 0),
        (["75", "75", "0"], 3, 0),
        (["137", "74", "0"], 3, 0),
        (["76", "76", "0"], 3, 0),
        (["64"], 1, 64),
        (["65"], 1, 65),
        (["71"], 1, 71),
        (["73"], 1, 73),
        (["79"], 1, 79),
        (["80"], 1, 80),
        (["1"], 1, 1),
        (["137", "137", "137", "0"], 3, KILLED),  # nothing saved in between: it gives up
        (["74", "74", "74", "0"], 3, 74),
        (["137c", "137c", "137c", "137c", "0"], 5, 0),
        (["137", "137", "75", "137", "137", "0"], 6, 0),
    ],
    ids=str,
)
def test_the_loop_starts_again_only_where_that_helps(
    prepare: Prepare, tmp_path: Path, codes: list[str], starts: int, end: int
) -> None:
    environment = prepare(codes)
    script = ["sh", str(RECIPES / "restart.sh"), str(tmp_path / "run"), "rrnn", "fit", "--x"]
    done = subprocess.run(script, env=environment, capture_output=True, check=False, timeout=30)
    assert (lines(tmp_path / "calls"), done.returncode) == (["fit --x"] * starts, end)


def test_a_signal_to_the_loop_ends_the_training_saved_and_is_no_restart(
    prepare: Prepare, tmp_path: Path
) -> None:
    environment = prepare(["wait", "0"])
    script = ["sh", str(RECIPES / "restart.sh"), str(tmp_path / "run"), "rrnn", "fit"]
    with subprocess.Popen(script, env=environment) as loop:
        while not (tmp_path / "waits").exists():
            time.sleep(0.02)
        loop.send_signal(signal.SIGTERM)
        assert loop.wait(20) == 75
    assert lines(tmp_path / "calls") == ["fit"]


@pytest.mark.parametrize(("number", "end"), [(1, 128 + signal.SIGTERM), (2, 75), (3, 74)])
def test_a_signal_between_two_starts_is_followed_by_none(
    prepare: Prepare, tmp_path: Path, number: int, end: int
) -> None:
    environment = prepare(["75", "74", "wait"])
    text = _TOUCH.format(folder=tmp_path, number=number, touch=shutil.which("touch"))
    (tmp_path / "touch").write_text(text)
    (tmp_path / "touch").chmod(0o755)
    assert code_of_loop(tmp_path, environment) == end
    assert len(lines(tmp_path / "calls")) == number - 1


def test_a_signal_in_the_moment_of_a_start_ends_what_was_started(
    prepare: Prepare, tmp_path: Path
) -> None:
    assert code_of_loop(tmp_path, prepare(["asks"])) == 75


def code_of_loop(folder: Path, environment: dict[str, str]) -> int:
    """Return the exit code of the loop; what it leaves running is ended."""
    script = ["sh", str(RECIPES / "restart.sh"), str(folder / "run"), "rrnn", "fit"]
    with subprocess.Popen(script, env=environment, start_new_session=True) as loop:
        try:
            return loop.wait(20)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(loop.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("codes", "requeues"),
    [
        (["75"], 1),
        (["0"], 0),
        (["65"], 0),
        (["64"], 0),
        (["73"], 0),
        (["79"], 0),
        (["80"], 0),
        (["1"], 0),
        (["74"], 1),
        (["76"], 1),
        (["137"], 1),
        (["137", "137", "137"], 2),  # the job is started again by hand
        (["137c", "137c", "137c", "137c"], 4),
        (["137", "137", "75", "137"], 4),
    ],
    ids=str,
)
def test_a_slurm_job_goes_back_to_the_queue_only_where_that_helps(
    prepare: Prepare, tmp_path: Path, codes: list[str], requeues: int
) -> None:
    environment = prepare(codes)
    run = str(tmp_path / "run")
    script = ["bash", str(RECIPES / "slurm_requeue.sbatch"), run, "--config", "a.yaml"]
    for code in codes:
        done = subprocess.run(script, env=environment, capture_output=True, check=False)
        assert done.returncode == int(code.rstrip("c"))
    assert lines(tmp_path / "requeues") == ["requeue 42"] * requeues
    wanted = f"fit --config a.yaml --run.folder {run} --run.if_exists resume"
    assert lines(tmp_path / "calls") == [wanted] * len(codes)


@pytest.mark.parametrize("name", ["restart.sh", "slurm_requeue.sbatch"])
def test_a_recipe_without_arguments_says_how_to_call_it(name: str) -> None:
    done = subprocess.run(["bash", str(RECIPES / name)], capture_output=True, check=False)
    assert done.returncode == 64
    assert done.stderr.startswith(b"usage: ")


def test_the_service_restarts_by_the_same_table() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(RECIPES / "rrnn-fit.service")
    service = unit["Service"]
    assert service["Restart"] == "on-failure"
    assert {"74", "75"} <= set(service["RestartForceExitStatus"].split())
    stays_down = set(service["RestartPreventExitStatus"].split())
    assert stays_down == {"1", "64", "65", "71", "73", "79", "80", "130"}
    assert service["KillSignal"] == "SIGTERM"
    assert int(service["TimeoutStopSec"]) >= 60
    assert int(unit["Unit"]["StartLimitBurst"]) > 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_no_fault_in_the_service(tmp_path: Path) -> None:
    text = (RECIPES / "rrnn-fit.service").read_text()
    program, folder = "/srv/rrnn/.venv/bin/rrnn", "/srv/rrnn"
    assert program in text
    unit = tmp_path / "rrnn-fit.service"
    unit.write_text(text.replace(program, shutil.which("sh") or "").replace(folder, "/tmp"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "rrnn-fit" in line] == []
