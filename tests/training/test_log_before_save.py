from pathlib import Path

from rrnn_lit.bench.faults.saves import DieAtRename
from rrnn_lit.bench.faults.signals import arm
from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.metrics_log import read_metrics
from tests.training.conftest import WriteConfig
from tests.training.tiny import in_child, load


def test_the_line_of_a_step_is_written_before_its_checkpoint(
    write_config: WriteConfig, run_folder: Path
) -> None:
    def run() -> int:
        arm(DieAtRename(6, "after"))
        RRNNCLI(["fit", "--config", str(write_config())])
        return 0

    assert in_child(run) == -9
    assert load(run_folder / "checkpoints" / "last.ckpt")["global_step"] == 6
    records = read_metrics(run_folder / "metrics.jsonl")
    assert [r["step"] for r in records if "train/loss" in r] == [3, 6], "each line once"
