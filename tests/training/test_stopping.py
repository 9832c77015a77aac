from typing import Any

import pytest

from rrnn_lit.training.completeness import RunCompleteError
from rrnn_lit.training.stopping import MatchedWordsStopping, StopState, check_stop
from tests.training.conftest import Fit
from tests.training.tiny import differences, load, read_json


@pytest.mark.parametrize(
    ("counts", "patience", "gain", "stops_at"),
    [
        ([10, 20, 30, 40], 1, 0.001, None),  # rises
        ([10, 20, 20], 1, 0.0, 2),  # equal is no gain
        ([10, 20, 19, 18], 2, 0.0, 3),
        ([10, 20, 19, 21, 20], 2, 0.0, None),  # a gain starts the patience anew
        ([1000, 1500, 1000], 2, 0.5, 2),  # exactly the relative gain is not above it
        ([1000, 1002, 1002], 2, 0.001, None),
        ([1000, 1001, 1002], 2, 0.001, None),  # small gains add up: 1002 against 1000
        ([0, 0, 0], 3, 0.0, 2),  # nothing matched is a check without gain
        ([0, 0, 1], 3, 0.0, None),
    ],
)
def test_stop_table(counts: list[int], patience: int, gain: float, stops_at: int | None) -> None:
    state, reasons = StopState(), []
    for check, count in enumerate(counts):
        state, reason = check_stop(state, count, 100 * check, patience, gain)
        reasons.append(reason is not None)
    assert reasons == [check == stops_at for check in range(len(counts))]


def test_reason_names_counts_and_steps() -> None:
    state, reason = check_stop(StopState(500, 7000, 1), 490, 9000, 2, 0.001)
    assert state == StopState(500, 7000, 2)
    assert reason == (
        "test/matched_words did not rise by 0.100% in 2 checks: "
        "best 500 at step 7000, now 490 at step 9000"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((0, 0.0), "stopping.patience: wanted at least 1 check, got 0"),
        ((1, -0.1), "stopping.min_relative_gain: wanted a gain of at least 0, got -0.1"),
    ],
)
def test_options_out_of_range_are_refused(options: tuple[int, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MatchedWordsStopping(*options)


# the first count is a gain, then none ever is: three checks of four steps each
IMPATIENT: dict[str, Any] = {
    "trainer.max_steps": 40,
    "stopping.patience": 2,
    "stopping.min_relative_gain": 1000.0,
}


def test_training_stops_and_records_the_reason(fit: Fit) -> None:
    cli = fit(IMPATIENT)
    summary = read_json(cli.folder / "summary.json")
    assert summary["steps"] == 12
    assert "did not rise by 100000.000% in 2 checks" in summary["stop_reason"]
    assert summary["stop_reason"].endswith("at step 12")


def test_patience_survives_resume(fit: Fit) -> None:
    straight = fit(IMPATIENT)
    cli = fit({**IMPATIENT, "trainer.max_steps": 9}, "--run.folder", f"{straight.folder}-cut")
    resumed = fit(IMPATIENT, "--run.folder", str(cli.folder), *resume(cli))
    assert resumed.trainer.global_step == 12
    first, second = (load(c.folder / "checkpoints/last.ckpt") for c in (straight, resumed))
    assert differences(first, second) == []


def test_stopped_run_without_its_summary_does_no_step(fit: Fit) -> None:
    cli = fit(IMPATIENT)
    (cli.folder / "summary.json").unlink()  # as a kill before the end would
    before = (cli.folder / "checkpoints" / "last.ckpt").read_bytes()
    assert fit(IMPATIENT, *resume(cli)).trainer.global_step == 12
    assert "in 2 checks" in read_json(cli.folder / "summary.json")["stop_reason"]
    assert (cli.folder / "checkpoints" / "last.ckpt").read_bytes() == before


def resume(cli: Any) -> tuple[str, str]:
    return "--ckpt_path", str(cli.folder / "checkpoints" / "last.ckpt")


def test_stopped_run_stays_stopped_until_patience_is_longer(fit: Fit) -> None:
    cli = fit(IMPATIENT)
    with pytest.raises(RunCompleteError, match="stopping.patience"):
        fit(IMPATIENT, *resume(cli))
    longer = fit({**IMPATIENT, "stopping.patience": 3}, *resume(cli))
    assert longer.trainer.global_step == 16
