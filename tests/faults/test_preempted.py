"""Row 6: a signal at any moment ends the run saved, with exit code 75."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from rrnn_lit.bench.faults.signals import SignalAt, SignalName
from rrnn_lit.training.summary import read_summary
from tests.faults.lives import TinyRun, keys_differing

STOPPED = 75
SIGNALS: tuple[SignalName, ...] = ("SIGTERM", "SIGUSR1")
# a line each step: one of several steps is, behind a stop within them, the mean of the rest
OPTIONS = {"trainer.log_every_n_steps": 1}
MOMENTS = {
    "start": "on_train_batch_start",
    "backward": "on_after_backward",
    "end": "on_train_batch_end",
}


@pytest.mark.promise(6)
@pytest.mark.timeout(120)
def test_a_signal_at_any_moment_of_a_step_leaves_no_trace_in_the_resumed_run(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder, OPTIONS)
    assert straight.start() == 0
    codes, identical = [], 0
    for signal_name, moment in product(SIGNALS, MOMENTS):
        run = TinyRun(tmp_path / f"{signal_name}-{moment}" / "run", prepared_folder, OPTIONS)
        codes.append(run.start(SignalAt(MOMENTS[moment], 5, signal_name)))
        assert run.last()["global_step"] == (5 if moment == "end" else 6)
        assert run.start() == 0
        identical += not keys_differing(straight, run) and straight.figures() == run.figures()
    got(f"{identical} of {len(codes)} identical, exit codes {sorted(set(codes))}")
    assert (identical, codes) == (6, [STOPPED] * 6)


@pytest.mark.promise(6)
@pytest.mark.timeout(120)
def test_a_signal_before_the_first_step_or_behind_the_last_leaves_no_trace_either(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder)
    assert straight.start() == 0
    codes, identical = [], 0
    places = {"set-up": ("on_fit_start", 0), "final": ("on_validation_batch_start", 10)}
    for signal_name, place in product(SIGNALS, places):
        run = TinyRun(tmp_path / f"{signal_name}-{place}" / "run", prepared_folder)
        codes.append(run.start(SignalAt(*places[place], signal_name)))
        assert not (run.folder / "summary.json").exists()
        assert run.start() == 0
        splits = [read_summary(r.folder)["splits"] for r in (straight, run)]
        identical += not keys_differing(straight, run) and splits[0] == splits[1]
    got(f"{identical} of {len(codes)} outside the steps")
    assert (identical, codes) == (4, [STOPPED] * 4)
