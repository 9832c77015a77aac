"""Row 13: a data worker that dies, and a process of a training that hangs, end the run in time."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit import cli as command
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.lightning_cli import RRNNCLI  # noqa: F401  before any fork
from tests.search.several_processes import is_alive
from tests.training.ranks import run_ranks, start_ranks, wait_for
from tests.training.tiny import Options, differences, load, tiny_config

LAST = "checkpoints/last.ckpt"
EXIT_CANNOT_WRITE, EXIT_LOST_PROCESS = 74, 76
Got = Callable[[str], None]


def write_config(data: Path, run: Path, options: Options) -> Path:
    path = run.with_suffix(".yaml")
    config = tiny_config(data, run, options)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.mark.promise(13)
def test_a_dead_data_worker_ends_the_run_which_then_resumes_as_the_same_run(
    prepared_folder: Path, tmp_path: Path, got: Got
) -> None:
    moment = tmp_path / "moment"

    def run(kills: bool, arguments: list[str]) -> Callable[[], int]:
        original = AutoencoderModule.training_step

        def training_step(self: AutoencoderModule, *given: Any) -> Any:
            if self.global_step == 5:
                os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
                moment.write_text(str(time.monotonic()), encoding="utf-8")
            return original(self, *given)

        def work() -> int:
            if kills:
                setattr(AutoencoderModule, "training_step", training_step)  # noqa: B010
            return command.main(arguments)

        return work

    # batches that are loaded already are trained on: the run must be long enough to miss one
    options = {"data.num_workers": 1, "trainer.max_steps": 20, "data.max_passes": None}
    straight = write_config(prepared_folder, tmp_path / "straight", options)
    config = write_config(prepared_folder, tmp_path / "run", options)
    log = tmp_path / "log"
    assert run_ranks(1, run(False, ["fit", "--config", str(straight)]), log) == [0]
    dying = run(True, ["fit", "--config", str(config)])
    (ended,) = wait_for(start_ranks(1, dying, log), 30.0)
    assert ended.code in (EXIT_LOST_PROCESS, EXIT_CANNOT_WRITE)  # its error, or a broken pipe
    seconds = ended.at - float(moment.read_text(encoding="utf-8"))
    assert run_ranks(1, run(False, ["fit", "--resume", str(tmp_path / "run")]), log) == [0]
    found = differences(load(tmp_path / "straight" / LAST), load(tmp_path / "run" / LAST))
    got(f"worker: {seconds:.1f} s, exit {ended.code}, {len(found)} keys differ after a resume")
    assert seconds < 10
    assert found == []


def children_of(process: int) -> list[int]:
    """Return the ids of a process's children."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(c) for c in listed.read_text(encoding="utf-8").split()] if listed.exists() else []


def start_two(config: Path, *options: str) -> "subprocess.Popen[bytes]":
    """Start a training of two processes, the second of which Lightning starts from the first."""
    fit = [sys.executable, "-m", "rrnn_lit.cli", "fit", "--config", str(config)]
    return subprocess.Popen(
        [*fit, "--trainer.devices=2", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def second_of(process: "subprocess.Popen[bytes]", run: Path) -> int:
    """Return the number of the second process once both train."""
    end = time.monotonic() + 60
    while not (run / "metrics.jsonl").exists() and time.monotonic() < end:
        time.sleep(0.05)
    (second,) = children_of(process.pid)
    return second


ENDLESS: Options = {"trainer.max_steps": 100_000, "data.max_passes": None}


@pytest.mark.promise(13)
@pytest.mark.timeout(150)
def test_a_killed_first_rank_takes_a_hanging_one_along(
    prepared_folder: Path, tmp_path: Path, got: Got
) -> None:
    run = tmp_path / "run"
    process = start_two(write_config(prepared_folder, run, ENDLESS), "--trainer.strategy=ddp")
    second = 0
    try:
        second = second_of(process, run)
        os.kill(second, signal.SIGSTOP)
        process.kill()
        killed = time.monotonic()
        while is_alive(second) and time.monotonic() < killed + 10:
            time.sleep(0.02)
        got(f"second rank: {time.monotonic() - killed:.1f} s after a kill of the first")
        assert not is_alive(second)
    finally:
        for left in (process.pid, second):
            if left and is_alive(left):
                os.kill(left, signal.SIGKILL)
        process.communicate()


@pytest.mark.promise(13)
@pytest.mark.timeout(150)
def test_a_hanging_rank_ends_the_launch_and_itself(
    prepared_folder: Path, tmp_path: Path, got: Got
) -> None:
    run = tmp_path / "run"
    config = write_config(prepared_folder, run, ENDLESS)
    strategy = "rrnn_lit.training.strategies.ReplicatedStrategy"
    options = [f"--trainer.strategy={strategy}", "--trainer.strategy.timeout=0:00:08"]
    process = start_two(config, *options)
    ranks: list[int] = []
    try:
        ranks = [second_of(process, run)]
        os.kill(ranks[0], signal.SIGSTOP)
        stopped = time.monotonic()
        _, errors = process.communicate(timeout=70)
        seconds = time.monotonic() - stopped
        got(f"rank: {seconds:.1f} s, exit {process.returncode}")
        assert process.returncode == EXIT_LOST_PROCESS, errors
        assert seconds < 60
        assert not Path(f"/proc/{ranks[0]}").exists()
    finally:
        for left in (process.pid, *ranks):
            if Path(f"/proc/{left}").exists():
                os.kill(left, signal.SIGKILL)
        process.wait()
