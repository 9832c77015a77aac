"""Row 10: deaths change neither when training stops nor the learning rate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.callbacks import Callback

from rrnn_lit.bench.faults.saves import DieAtRename
from rrnn_lit.bench.faults.signals import SignalAt
from rrnn_lit.training.summary import read_summary
from tests.faults.lives import TinyRun
from tests.training.tiny import load

# evaluations every fourth step; the rule stops this run long before its last step
OPTIONS = {
    "trainer.max_steps": 80,
    "stopping.patience": 3,
    "stopping.min_relative_gain": 0.2,
}
PLANS: list[list[Callback]] = [
    [SignalAt("on_validation_start", 4, "SIGKILL")],
    [SignalAt("on_validation_batch_start", 8, "SIGKILL")],
    [SignalAt("on_validation_epoch_end", 8, "SIGKILL")],
    [SignalAt("on_validation_end", 8, "SIGKILL")],
    [DieAtRename(8, "before"), DieAtRename(12, "before")],
    [DieAtRename(8, "after"), DieAtRename(12, "after")],
    [DieAtRename(8, "after", "best.ckpt"), SignalAt("on_validation_start", 12, "SIGTERM")],
    [SignalAt("on_after_backward", 7, "SIGTERM"), SignalAt("on_after_backward", 11, "SIGKILL")],
]


def outcome(run: TinyRun) -> dict[str, Any]:
    """Return all that the stop rule and the schedule have come to."""
    last, best = run.last(), load(run.folder / "checkpoints/best.ckpt")
    summary = read_summary(run.folder)
    scores = [v for k, v in last["callbacks"].items() if k.startswith("BestCheckpoint")]
    return {
        "rule": last["callbacks"]["MatchedWordsStopping"],
        "best_score": [float(score["best_model_score"]) for score in scores],
        "best_step": best["global_step"],
        "rates": [group["lr"] for group in last["optimizer_states"][0]["param_groups"]],
        "reason": summary["stop_reason"],
        "steps": summary["steps"],
    }


@pytest.mark.promise(10)
@pytest.mark.timeout(180)
def test_deaths_around_evaluations_change_neither_the_stop_nor_the_rate(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder, OPTIONS)
    assert straight.start() == 0
    wanted = outcome(straight)
    assert wanted["reason"].startswith("test/matched_words did not rise")
    assert len(wanted["best_score"]) == 1
    different = []
    for number, plan in enumerate(PLANS):
        run = TinyRun(tmp_path / f"plan-{number}" / "run", prepared_folder, OPTIONS)
        for fault in plan:
            assert run.start(fault) in (-9, 75), f"plan {number}"
        assert run.start() == 0
        if outcome(run) != wanted:
            different.append(number)
    got(f"{len(different)} of {len(PLANS)} kill plans differ")
    assert different == []
