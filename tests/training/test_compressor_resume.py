from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.callbacks import Callback

from rrnn_lit import cli as command
from rrnn_lit.bench.faults.signals import SignalAt, arm
from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.metrics_log import read_metrics
from rrnn_lit.training.summary import read_summary
from tests.training.compressing import fit_compressor, write_compressor
from tests.training.tiny import Options, differences, in_child, load

BEST, LAST = "checkpoints/best.ckpt", "checkpoints/last.ckpt"


@pytest.mark.parametrize(
    "fault",
    [
        SignalAt("on_before_backward", 5, "SIGKILL"),
        SignalAt("on_train_batch_start", 8, "SIGKILL"),
        SignalAt("on_validation_batch_start", 8, "SIGKILL"),
    ],
    ids=["between", "after evaluation", "in evaluation"],
)
def test_resume_equals_uninterrupted(
    prepared_folder: Path,
    straight_run: Path,
    straight_compressor: Path,
    tmp_path: Path,
    fault: Callback,
) -> None:
    run = tmp_path / "run"
    path = write_compressor(prepared_folder, straight_run, run)

    def start() -> int:
        arm(fault)
        RRNNCLI(["fit", "--config", str(path)])
        return 0

    assert in_child(start) == -9
    assert command.main(["fit", "--resume", str(run)]) == 0
    for name in (LAST, BEST):
        assert differences(load(straight_compressor / name), load(run / name)) == []
    assert comparable(straight_compressor) == comparable(run)


def comparable(folder: Path) -> list[Any]:
    """Return what evaluations logged and the summary, without times and places."""
    figures = [
        {k: v for k, v in r.items() if k not in ("time", "life")}
        for r in read_metrics(folder / "metrics.jsonl")
        if "test/matched_words" in r
    ]
    own = ("seconds", "effective_training_time", "starts", "lost_steps")
    return [figures, {k: v for k, v in read_summary(folder).items() if k not in own}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model.compressed_size": 8}, "model.compressed_size: the checkpoint has 6, the config"),
        ({"model.bits": 8}, "model.bits: the checkpoint has 4, the config 8"),
        ({"model.l2": 0.5}, "model.l2: the checkpoint has 0.001, the config 0.5"),
        ({"data.seed": 5}, "data.seed: the checkpoint was written with 1234, got 5"),
    ],
)
def test_resume_refuses_a_changed_option_by_name(
    prepared_folder: Path,
    straight_run: Path,
    straight_compressor: Path,
    tmp_path: Path,
    change: Options,
    message: str,
) -> None:
    last = ["--ckpt_path", str(straight_compressor / LAST)]
    with pytest.raises(ValueError, match=message):
        fit_compressor(prepared_folder, straight_run, tmp_path / "run", change, *last)
