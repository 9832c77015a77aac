"""Row 6: the two commands of README's section on several devices, through Lightning's launcher."""

import json
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

from tests.faults.test_ranks import UNEVEN, noting_sentences, sentences_by_step
from tests.training.ranks import run_ranks
from tests.training.tiny import Options, load, tiny_config

NOTES = "rrnn_lit.bench.faults.sentence_log"
STOPPED = 75
STEPS = 300
OPTIONS: Options = {
    **UNEVEN,
    "model.dropout": 0.0,
    "trainer.max_steps": STEPS,
    "trainer.val_check_interval": 100,
    "checkpoint.every_n_steps": 50,
}


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    """Start `rrnn fit`; its config may name the callback that notes sentences."""
    return subprocess.Popen(
        [sys.executable, "-m", "rrnn_lit.cli", "fit", *arguments],
        env={**os.environ, "RRNN_ALLOW_IMPORTS": "rrnn_lit.bench.faults"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def records(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_bytes().splitlines()] if log.exists() else []


def wait_for_step(step: int, log: Path, process: "subprocess.Popen[bytes]") -> None:
    """Return when a process has begun the step."""
    while not any(record.get("step") == step for record in records(log)):
        assert process.poll() is None, "the training ended early"
        time.sleep(0.02)


def sentences(log: Path) -> list[list[int]]:
    """Return the sentences of each step, those of the second start where it did the step again."""
    lines = records(log)
    (again,) = [i for i, record in enumerate(lines) if record.get("start")]
    first = [r for r in lines[:again] if "step" in r and r["step"] < lines[again]["start"]]
    steps: dict[int, list[int]] = {}
    for record in [*first, *lines[again + 1 :]]:
        step = steps.setdefault(record["step"], [])
        step += record["sentences"]
    return [sorted(steps[step]) for step in sorted(steps)]


@pytest.mark.promise(6)
@pytest.mark.timeout(180)
def test_two_processes_stop_together_and_one_goes_on_with_the_same_batches(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    run, log, config = tmp_path / "run", tmp_path / "log", tmp_path / "two.yaml"
    note = {"class_path": f"{NOTES}.SentenceLog", "init_args": {"path": str(log)}}
    options = {**OPTIONS, "trainer.callbacks": [note]}
    config.write_text(yaml.safe_dump(tiny_config(prepared_folder, run, options)))
    with start(
        *("--config", str(config), "--trainer.devices", "2", "--trainer.strategy", "ddp")
    ) as both:
        try:
            wait_for_step(5, log, both)
            both.send_signal(signal.SIGTERM)
            _, errors = both.communicate(timeout=60)
        finally:
            both.kill()
    assert both.returncode == STOPPED, errors.decode()
    stopped_at = load(run / "checkpoints" / "last.ckpt")["global_step"]
    with start("--resume", str(run), "--trainer.devices", "1") as one:
        _, errors = one.communicate(timeout=90)
    assert one.returncode == 0, errors.decode()

    straight = tmp_path / "straight.yaml"
    straight.write_text(
        yaml.safe_dump(tiny_config(prepared_folder, tmp_path / "straight", OPTIONS))
    )
    training = noting_sentences(["fit", "--config", str(straight)], tmp_path / "ids")
    assert run_ranks(1, training, tmp_path / "output") == [0]
    wanted, found = sentences_by_step(tmp_path / "ids", STEPS), sentences(log)
    different = sum(first != second for first, second in zip(wanted, found, strict=True))
    got(f"2 launched ranks: exit {both.returncode} at step {stopped_at}; {different} steps differ")
    assert 5 < stopped_at < STEPS
    assert len(wanted) == STEPS
    assert different == 0
