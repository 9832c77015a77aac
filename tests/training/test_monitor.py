import time

import pytest
import torch

from rrnn_lit.training.monitor import TrainingMonitor


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    return clock


def add(monitor: TrainingMonitor, loss: float, words: int, dropped: int) -> None:
    monitor.add_step(8, torch.tensor(loss), words, torch.tensor(dropped))


def test_figures_of_an_interval(clock: Clock) -> None:
    monitor = TrainingMonitor()
    add(monitor, 3.0, 30, 10)
    with monitor.measure_matching(torch.device("cpu")):
        clock.now += 1.0
    add(monitor, 5.0, 10, 10)
    clock.now += 3.0
    monitor.gradient_norm = torch.tensor(2.5)
    monitor.matched_word_rate = torch.tensor(0.75)
    assert monitor.take() == {
        "train/loss": 4.0,
        "train/matched_word_rate": 0.75,
        "train/dropped_word_rate": 0.5,  # of words, not the mean of steps
        "train/sentences_per_second": 16 / 4.0,
        "train/matching_time_share": 0.25,
        "train/sentences": 16.0,
        "train/gradient_norm": 2.5,
    }


def test_an_interval_forgets_the_one_before_but_not_the_sentences(clock: Clock) -> None:
    monitor = TrainingMonitor()
    add(monitor, 3.0, 30, 10)
    clock.now += 1.0
    monitor.take()
    add(monitor, 7.0, 10, 0)
    clock.now += 2.0
    figures = monitor.take()
    assert (figures["train/loss"], figures["train/sentences_per_second"]) == (7.0, 4.0)
    assert figures["train/sentences"] == 16.0


def test_a_pause_is_no_training_time(clock: Clock) -> None:
    monitor = TrainingMonitor()
    add(monitor, 1.0, 1, 0)
    clock.now += 2.0
    monitor.pause()
    clock.now += 50.0
    monitor.resume()
    assert monitor.take()["train/sentences_per_second"] == 4.0
