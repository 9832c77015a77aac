from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rrnn_lit import cli as command
from rrnn_lit.training.checkpoints import DurableCheckpointIO
from rrnn_lit.training.completeness import RunCompleteError, check_unfinished
from tests.training.conftest import Fit

STOPPED = {"checks_without_gain": 3, "reason": "did not rise"}
GOING = {"checks_without_gain": 0, "reason": None}
HALF_AN_HOUR = {"time_elapsed": {"train": 1800.0}}


def write_run(folder: Path, stopping: dict[str, Any], timer: dict[str, Any] | None) -> Path:
    states = {"MatchedWordsStopping": stopping}
    if timer is not None:
        states["Timer"] = timer
    checkpoint = {
        "global_step": 100,
        "callbacks": states,
        "dictionary_digest": "",
        "state_dict": {},
    }
    path = folder / "checkpoints" / "last.ckpt"
    DurableCheckpointIO().save_checkpoint(checkpoint, path)
    (folder / "summary.json").write_text("{}")
    return path


def options(max_steps: int, patience: int, max_time: str | None) -> SimpleNamespace:
    trainer = SimpleNamespace(max_steps=max_steps, max_time=max_time)
    return SimpleNamespace(trainer=trainer, stopping=SimpleNamespace(patience=patience))


@pytest.mark.parametrize(
    ("stopping", "timer", "now", "option"),
    [
        (GOING, None, (100, 3, None), "trainer.max_steps"),
        (GOING, None, (99, 3, None), "trainer.max_steps"),
        (GOING, None, (101, 3, None), None),
        (STOPPED, None, (101, 3, None), "stopping.patience"),
        (STOPPED, None, (101, 4, None), None),
        (GOING, HALF_AN_HOUR, (101, 3, "00:00:30:00"), "trainer.max_time"),
        (GOING, HALF_AN_HOUR, (101, 3, "00:00:31:00"), None),
        (GOING, HALF_AN_HOUR, (101, 3, None), None),
        (GOING, None, (101, 3, "00:00:30:00"), None),  # the first start had no limit
    ],
)
def test_table(
    tmp_path: Path,
    stopping: dict[str, Any],
    timer: dict[str, Any] | None,
    now: tuple[int, int, str | None],
    option: str | None,
) -> None:
    path = write_run(tmp_path, stopping, timer)
    if option is None:
        check_unfinished(tmp_path, path, options(*now))
        return
    with pytest.raises(RunCompleteError, match=f"is complete: .* give a higher --{option} to"):
        check_unfinished(tmp_path, path, options(*now))


def test_a_run_without_a_summary_has_that_left_to_do(tmp_path: Path) -> None:
    path = write_run(tmp_path, STOPPED, None)
    (tmp_path / "summary.json").unlink()
    check_unfinished(tmp_path, path, options(100, 3, None))


def test_resuming_a_complete_run_says_so_and_touches_nothing(
    fit: Fit, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit({"trainer.max_steps": 4})
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in files(run_folder)}
    capsys.readouterr()
    assert command.main(["fit", "--resume", str(run_folder)]) == 0
    assert capsys.readouterr().out == (
        f"rrnn fit: {run_folder} is complete: 4 steps are done, trainer.max_steps is 4. "
        "Nothing was changed; give a higher --trainer.max_steps to train on\n"
    )
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in files(run_folder)} == before


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
