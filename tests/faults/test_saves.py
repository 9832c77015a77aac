"""Row 7: deaths and full disks in the middle of saves, with the temporary folder elsewhere."""

import os
import random
import signal
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rrnn_lit.bench.faults.limits import file_size_limit
from rrnn_lit.training.checkpoint_check import check_whole, newest_checkpoint
from rrnn_lit.training.checkpoint_file import read_checkpoint
from rrnn_lit.training.checkpoints import DurableCheckpointIO
from rrnn_lit.training.run_folder import LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from tests.faults.lives import TinyRun, keys_differing

KILLS = 40
NUM_WEIGHTS = 1_500_000  # 6 MB
NUMBER = struct.Struct("q")
CANNOT_WRITE = 74


def save_without_end(path: Path, first: int, done: int) -> None:
    """Save one checkpoint after the other; tell the number of each that is saved."""
    os.environ["TMPDIR"] = tempfile.tempdir = "/dev/shm"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert os.stat(tempfile.gettempdir()).st_dev != path.parent.stat().st_dev
    torch.set_num_threads(1)
    step = first
    while True:
        weight = torch.full((NUM_WEIGHTS,), float(step))
        content = {"global_step": step, "state_dict": {"w": weight}, "dictionary_digest": ""}
        DurableCheckpointIO().save_checkpoint(content, path)
        os.write(done, NUMBER.pack(step))
        step += 1


def kill_in_saves(path: Path, first: int, delay_s: float) -> int:
    """Let a process save, kill it some time after its first save, return the last one done."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            save_without_end(path, first, writer)
        finally:
            os._exit(70)
    os.close(writer)
    done = os.read(reader, NUMBER.size)
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    with os.fdopen(reader, "rb") as rest:
        done += rest.read()
    return int(NUMBER.unpack(done[-NUMBER.size :])[0])


def is_bad(run: Path, done: int) -> bool:
    """Return whether the newest checkpoint is damaged, or older than the last save done."""
    content = read_checkpoint(newest_checkpoint(run))
    step, weight = content["global_step"], content["state_dict"]["w"]
    kept = [check_whole(run / name) for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT)]
    is_whole = weight.shape == (NUM_WEIGHTS,) and bool((weight == step).all())
    return not (is_whole and all(kept) and step in (done, done + 1))


@pytest.mark.promise(7)
@pytest.mark.timeout(120)
def test_no_kill_in_a_save_harms_the_last_good_checkpoint(
    tmp_path: Path, got: Callable[[str], None]
) -> None:
    path = tmp_path / LAST_CHECKPOINT
    draws, bad, torn, done = random.Random(7), 0, 0, 0
    done = kill_in_saves(path, 1, 0.5)  # two files are there from now on
    for _ in range(KILLS):
        done = kill_in_saves(path, done + 2, draws.uniform(0, 0.1))
        bad += is_bad(tmp_path, done)
        for part in path.parent.glob("*.part"):
            torn += 1
            part.unlink()
    got(f"{bad} bad of {KILLS} killed saves")
    assert bad == 0
    assert torn > KILLS / 4, "the kills met no saves"


@pytest.mark.promise(7)
@pytest.mark.timeout(120)
def test_a_full_disk_ends_the_run_with_74_and_harms_nothing(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder)
    assert straight.start() == 0
    begun = TinyRun(tmp_path / "begun" / "run", prepared_folder)
    assert begun.start(arguments=["--trainer.max_steps", "5"]) == 0
    before = (begun.folder / LAST_CHECKPOINT).read_bytes()
    codes, bad = [], 0
    # in the middle of the weights, and in the digest behind them
    for limit in (len(before) // 2, len(before) - 30):
        run = begun.copy(tmp_path / f"{limit}" / "run")
        run.prepare_process = file_size_limit(limit).__enter__
        arguments = ["--trainer.max_steps", "10"]
        codes.append(run.resume(arguments=arguments))
        bad += newest_checkpoint(run.folder).read_bytes() != before
        bad += not (run.folder / PREVIOUS_CHECKPOINT).is_file()
        run.prepare_process = lambda: None
        assert run.resume(arguments=arguments) == 0
        assert keys_differing(straight, run) == []
    got(f"{bad} of {len(codes)} full disks, exit codes {sorted(set(codes))}")
    assert (bad, codes) == (0, [CANNOT_WRITE] * 2)
