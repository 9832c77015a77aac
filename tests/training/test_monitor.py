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
    monitor.note_matched(torch.tensor(3), 4)
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


def test_figures_are_those_of_all_processes(clock: Clock) -> None:
    # this process: a loss of 3, 4 of 8 words dropped, 3 of 4 matched in the step that logs
    others = torch.tensor([5.0, 1.0, 2.0, 0.0, 1.0], dtype=torch.float64)
    monitor = TrainingMonitor()
    add(monitor, 3.0, 8, 4)
    monitor.note_matched(torch.tensor(3), 4)
    clock.now += 1.0
    figures = monitor.take(lambda own: (own + others, 2))
    assert figures["train/loss"] == 4.0
    assert figures["train/dropped_word_rate"] == 0.5
    assert figures["train/matched_word_rate"] == 0.6
    assert figures["train/sentences_per_second"] == 8.0  # of all processes already


def test_a_process_that_repeats_a_sentence_adds_no_words(clock: Clock) -> None:
    others = torch.tensor([5.0, 1.0, 2.0, 1.0, 2.0], dtype=torch.float64)
    monitor = TrainingMonitor()
    add(monitor, 0.0, 0, 0)
    monitor.note_matched(torch.tensor(4), 4)
    clock.now += 1.0
    figures = monitor.take(lambda own: (own + others, 2))
    assert (figures["train/matched_word_rate"], figures["train/dropped_word_rate"]) == (0.5, 0.5)
