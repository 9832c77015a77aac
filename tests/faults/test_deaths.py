"""Rows 1 and 2: one run dies twelve times; nothing tells it from one that never stopped."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lightning.pytorch.callbacks import Callback

from rrnn_lit.bench.faults.saves import DieAfterSaveBegins, DieAtRename
from rrnn_lit.bench.faults.sentence_log import effective_sentences, lost_and_repeated
from rrnn_lit.bench.faults.signals import SignalAt
from rrnn_lit.training.summary import read_summary
from tests.faults.lives import TinyRun, keys_differing

KILLED, STOPPED, BY_CLOCK = -9, 75, -14
OPTIONS = {
    "trainer.max_steps": 40,
    "trainer.val_check_interval": 10,
    "trainer.log_every_n_steps": 1,
    "checkpoint.every_n_steps": 3,
}
# in order; the exit code of each death
PLAN: list[tuple[Callback, int]] = [
    (SignalAt("on_train_batch_start", 2, "SIGKILL"), KILLED),  # before the first checkpoint
    (SignalAt("on_before_backward", 5, "SIGKILL"), KILLED),
    (SignalAt("on_after_backward", 7, "SIGTERM"), STOPPED),
    (SignalAt("on_validation_batch_start", 10, "SIGKILL"), KILLED),
    (DieAtRename(12, "before"), KILLED),
    (DieAtRename(15, "after"), KILLED),
    (SignalAt("on_train_batch_start", 18, "SIGKILL"), KILLED),  # right behind a checkpoint
    (SignalAt("on_before_optimizer_step", 19, "SIGTERM"), STOPPED),  # an evaluation follows
    (SignalAt("on_validation_batch_start", 20, "SIGTERM"), STOPPED),
    (DieAfterSaveBegins(24, 0.5), BY_CLOCK),
    (SignalAt("on_train_batch_end", 30, "SIGKILL"), KILLED),  # an evaluation is due
    (SignalAt("on_after_backward", 38, "SIGKILL"), KILLED),
]
WORKERS = (0, 1, 2)


@pytest.fixture(scope="module")
def straight(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    run = TinyRun(tmp_path_factory.mktemp("straight") / "run", prepared_folder, OPTIONS)
    assert run.start() == 0
    return run


@pytest.fixture(scope="module")
def mortal(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    """The run of the plan, with 0, 1 and 2 data workers in turn, at its end."""
    run = TinyRun(tmp_path_factory.mktemp("mortal") / "run", prepared_folder, OPTIONS)
    for life, (fault, code) in enumerate(PLAN):
        workers = f"--data.num_workers={WORKERS[life % 3]}"
        assert run.start(fault, arguments=[workers]) == code, f"start {life + 1}"
    assert run.start() == 0
    return run


@pytest.mark.promise(1)
@pytest.mark.timeout(180)
def test_a_run_that_died_twelve_times_ends_in_the_same_checkpoint(
    straight: TinyRun, mortal: TinyRun, got: Callable[[str], None]
) -> None:
    found = keys_differing(straight, mortal)
    summary = read_summary(mortal.folder)
    share = f"effective training time {summary['effective_training_time']:.0%}"
    got(f"{len(found)} keys differ after {len(PLAN)} deaths; {share} at one every 3 steps")
    assert found == []
    assert straight.figures() == mortal.figures()
    assert summary["starts"] == len(PLAN) + 1
    assert summary["lost_steps"] > 0
    assert 0 < summary["effective_training_time"] < 1


@pytest.mark.promise(2)
def test_no_sentence_is_lost_or_repeated_by_twelve_deaths(
    straight: TinyRun, mortal: TinyRun, got: Callable[[str], None]
) -> None:
    first, second = effective_sentences(straight.sentences), effective_sentences(mortal.sentences)
    lost, repeated = lost_and_repeated(first, second)
    got(f"{lost} lost, {repeated} repeated of {sum(len(s) for _, s in first)}")
    assert (lost, repeated) == (0, 0)
    assert first == second, "in the same order within each batch as well"
    assert [step for step, _ in first] == list(range(40))


@pytest.mark.promise(1)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("record", ["whole", "of an earlier version", "with a damaged line"])
def test_a_run_that_dies_behind_its_last_checkpoint_finishes(
    straight: TinyRun,
    tmp_path: Path,
    got: Callable[[str], None],
    capfd: pytest.CaptureFixture[str],
    record: str,
) -> None:
    run = replace(straight, folder=tmp_path / "run")
    assert run.start(DieAtRename(40, "after")) == KILLED
    if record == "of an earlier version":
        (run.folder / "events.jsonl").unlink()
    if record == "with a damaged line":
        path = run.folder / "metrics.jsonl"
        first, second, rest = path.read_bytes().split(b"\n", 2)
        path.write_bytes(b"\n".join([first, b"\0" * len(second), rest]))
    code = run.start()
    got(f"{record}: exit {code} after a death behind the last checkpoint")
    assert code == 0
    assert keys_differing(straight, run) == []
    summary = read_summary(run.folder)
    assert summary["splits"] == read_summary(straight.folder)["splits"]
    assert ("effective_training_time" in summary) == (record != "of an earlier version")
    is_drawn = record != "with a damaged line"
    assert (run.folder / "curves.png").is_file() == is_drawn
    assert ("no curves: " in capfd.readouterr().err) != is_drawn
