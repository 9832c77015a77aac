import dataclasses

import pytest

from rrnn_lit.training.effective_time import EffectiveTime, Event, effective_time

_BLANK = Event("start", 0, 1000.0, 1, 0.0, "new")


def start(step: int, time: float, life: int, seconds: float) -> Event:
    return dataclasses.replace(_BLANK, step=step, time=time, life=life, seconds=seconds)


def end(step: int, time: float, life: int, seconds: float, reason: str = "finished") -> Event:
    return Event("end", step, time, life, seconds, reason)


def test_of_an_undisturbed_run_only_starting_up_is_lost() -> None:
    # 10 s of imports, 90 s of training
    events = [start(0, 1000, 1, 0), end(50, 1100, 1, 90)]
    assert effective_time(events, [(1, 50)]) == EffectiveTime(0.9, 1, 0)


def test_deaths_waiting_and_steps_done_again_are_lost() -> None:
    events = [
        start(0, 1000, 1, 0),  # killed; logged up to step 30, saved at 20 after 40 s
        start(20, 1100, 2, 40),  # killed before it logged anything
        start(20, 1150, 2, 40),  # stopped by SIGTERM at step 35, saved there
        end(35, 1200, 2, 70, "SIGTERM"),
        start(35, 1300, 3, 70),  # killed at about 60, nothing saved
        start(35, 1400, 4, 70),
        end(100, 1500, 4, 170),
    ]
    logged = [(1, 10), (1, 30), (2, 34), (3, 60), (4, 100)]
    assert effective_time(events, logged) == EffectiveTime(170 / 500, 5, 10 + 25)


def test_the_time_between_an_end_and_an_extension_is_nobodys_loss() -> None:
    events = [
        start(0, 1000, 1, 0),
        end(50, 1100, 1, 100),
        start(50, 9000, 2, 100),
        end(100, 9100, 2, 150),
    ]
    assert effective_time(events, []) == EffectiveTime(0.75, 2, 0)


def test_a_run_from_another_runs_checkpoint_counts_its_own_seconds() -> None:
    events = [start(500, 1000, 1, 900), end(600, 1100, 1, 950)]
    assert effective_time(events, []) == EffectiveTime(0.5, 1, 0)


@pytest.mark.parametrize("events", [[], [_BLANK], [end(1, 2, 1, 1)]])
def test_a_run_without_its_ends_has_no_share(events: list[Event]) -> None:
    with pytest.raises(ValueError, match="from a run's first start to its last end"):
        effective_time(events, [])
