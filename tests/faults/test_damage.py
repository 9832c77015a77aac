"""Row 8: a damaged newest checkpoint is found, and the run goes on from the one before."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rrnn_lit.bench.faults.damage import cut, empty, flip_bit
from rrnn_lit.bench.faults.signals import SignalAt
from rrnn_lit.training.run_folder import BEST_CHECKPOINT, LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from tests.faults.lives import TinyRun, keys_differing
from tests.training.tiny import differences, load

BAD_INPUT = 65
DAMAGES: dict[str, Callable[[Path], None]] = {
    "torn": lambda path: cut(path, path.stat().st_size * 2 // 3),
    "one bit": lambda path: flip_bit(path, 8 * (path.stat().st_size // 2) + 3),
    "empty": empty,
}


@pytest.mark.promise(8)
@pytest.mark.timeout(120)
def test_the_checkpoint_before_a_damaged_one_leads_to_the_same_run(
    prepared_folder: Path,
    tmp_path: Path,
    got: Callable[[str], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    # a line for each step: one for several is of the steps since the last start
    options = {"trainer.log_every_n_steps": 1}
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder, options)
    assert straight.start() == 0
    killed = TinyRun(tmp_path / "killed" / "run", prepared_folder, options)
    assert killed.start(SignalAt("on_train_batch_start", 8, "SIGKILL")) == -9
    names = (PREVIOUS_CHECKPOINT, LAST_CHECKPOINT, BEST_CHECKPOINT)
    steps = [load(killed.folder / name)["global_step"] for name in names]
    assert steps == [7, 8, 8], "best.ckpt is to be newer than what the run goes on from"
    found, wrong, unequal = 0, 0, []
    for name, damage in DAMAGES.items():
        run = killed.copy(tmp_path / name / "run")
        damage(run.folder / LAST_CHECKPOINT)
        capfd.readouterr()
        assert run.resume() == 0
        said = capfd.readouterr().err.splitlines()
        warnings = [line for line in said if line.startswith("rrnn: warning: ")]
        found += [str(run.folder / LAST_CHECKPOINT) in line for line in warnings] == [True]
        restored = [line for line in said if line.startswith("Restoring states from")]
        wrong += not (len(restored) == 1 and restored[0].endswith(PREVIOUS_CHECKPOINT))
        unequal += keys_differing(straight, run)
        best, again = (load(r.folder / BEST_CHECKPOINT) for r in (straight, run))
        unequal += differences(best, again)
        assert straight.figures() == run.figures()
        assert (run.folder / f"{LAST_CHECKPOINT}.damaged").is_file()
    got(f"{found} of {len(DAMAGES)} found, {wrong} wrong loads, {len(unequal)} keys differ")
    assert (found, wrong, unequal) == (len(DAMAGES), 0, [])


@pytest.mark.promise(8)
def test_a_run_without_a_whole_checkpoint_is_refused_by_all_names(
    prepared_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = TinyRun(tmp_path / "run", prepared_folder, {"trainer.max_steps": 6})
    assert run.start() == 0
    paths = [run.folder / name for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT)]
    for path in paths:
        flip_bit(path, 8 * (path.stat().st_size // 2))
    capfd.readouterr()
    assert run.resume(arguments=["--trainer.max_steps", "7"]) == BAD_INPUT
    errors = [x for x in capfd.readouterr().err.splitlines() if x.startswith("rrnn fit:")]
    assert len(errors) == 1
    assert all(f"{path}: wanted a whole checkpoint" in errors[0] for path in paths)
