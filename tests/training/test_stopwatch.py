import itertools
import time

import pytest
import torch

from rrnn_lit.training.stopwatch import Stopwatch


def test_adds_up_what_is_inside_until_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.chain([10.0, 12.0, 100.0, 103.0, 500.0, 501.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    watch = Stopwatch()
    for _ in range(2):
        with watch.measure(torch.device("cpu")):
            pass
    assert watch.take() == 5.0
    assert watch.take() == 0.0
    with watch.measure(torch.device("cpu")):
        pass
    assert watch.take() == 1.0


@pytest.mark.gpu
def test_waits_for_the_gpu_only_when_taken() -> None:
    watch = Stopwatch()
    matrix = torch.rand(4096, 4096, device="cuda")
    with watch.measure(matrix.device):
        for _ in range(20):
            matrix = matrix @ matrix
    assert watch.take() > 0
    assert watch.take() == 0
