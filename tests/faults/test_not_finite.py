"""Row 9: no update follows a number that is not finite, and no kept checkpoint holds one."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from rrnn_lit.bench.faults.numbers import NotFinite
from tests.faults.lives import TinyRun
from tests.training.tiny import differences

NOT_FINITE = 79
FAULT = 5  # steps done before the spoilt one


def count_updates(path: Path) -> Callable[[], None]:
    """Return what lets a process append a byte to a file for each update of an optimizer."""

    def prepare() -> None:
        file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

        def count(*_: object) -> None:
            os.write(file, b"+")

        register_optimizer_step_post_hook(count)

    return prepare


@pytest.mark.promise(9)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("memory", ["standard", "lean"])
def test_no_update_follows_a_nan_loss_or_an_inf_gradient(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None], memory: str
) -> None:
    options = {
        "model.memory": memory,
        "trainer.gradient_clip_val": None,
        "checkpoint.every_n_steps": 1,
    }
    straight = TinyRun(
        tmp_path / "straight" / "run", prepared_folder, {**options, "trainer.max_steps": FAULT}
    )
    assert straight.start() == 0
    weights = straight.last()["state_dict"]
    updates = 0
    for fault in (NotFinite(FAULT, "loss", "nan"), NotFinite(FAULT, "gradient", "inf")):
        counted = tmp_path / f"updates-{updates}-{id(fault)}"
        run = TinyRun(tmp_path / str(id(fault)) / "run", prepared_folder, options)
        run = replace(run, prepare_process=count_updates(counted))
        assert run.start(fault) == NOT_FINITE
        updates += len(counted.read_bytes()) - FAULT
        kept = run.last()
        assert kept["global_step"] == FAULT
        assert all(bool(torch.isfinite(w).all()) for w in kept["state_dict"].values())
        assert differences(weights, kept["state_dict"]) == []
    got(f"{updates} updates after 2 faults, exit {NOT_FINITE} ({memory})")
    assert updates == 0
