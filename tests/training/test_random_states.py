import random
from pathlib import Path

import numpy as np
import torch
from torch import distributed

from rrnn_lit.training.random_states import RandomStates
from tests.training.ranks import rank, run_ranks
from tests.training.tiny import differences


def draw() -> list[float]:
    return [float(torch.rand(1)), float(np.random.random()), random.random()]  # noqa: NPY002


def restore(states: RandomStates) -> None:
    states.on_train_start(None, None)  # type: ignore[arg-type]


def test_random_states_come_back(tmp_path: Path) -> None:
    random.gauss(0.0, 1.0)  # leaves a second number behind, which is part of the state
    states = RandomStates()
    torch.save(states.state_dict(), tmp_path / "states")
    wanted = [*draw(), random.gauss(0.0, 1.0)]
    restored = RandomStates()
    restored.load_state_dict(torch.load(tmp_path / "states", weights_only=True))
    assert draw() != wanted[:3]
    restore(restored)
    assert [*draw(), random.gauss(0.0, 1.0)] == wanted


def test_states_of_an_earlier_version_come_back() -> None:
    (own,) = RandomStates().state_dict()["ranks"]
    wanted = draw()
    restored = RandomStates()
    restored.load_state_dict(own)
    restore(restored)
    assert draw() == wanted


def join(place: Path) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{place}", rank=rank(), world_size=2
    )


def test_every_process_gets_its_own_states_back(tmp_path: Path) -> None:
    def work() -> int:
        join(tmp_path / "group")
        torch.manual_seed(rank())
        if rank() == 1:
            random.gauss(0.0, 1.0)  # makes the text of the state longer
        states = RandomStates().state_dict()
        wanted = draw()
        torch.save([states, wanted], tmp_path / f"rank-{rank()}")
        restored = RandomStates()
        restored.load_state_dict(states)
        restore(restored)
        return 0 if draw() == wanted else 1

    assert run_ranks(2, work, tmp_path / "log") == [0, 0]
    both = [torch.load(tmp_path / f"rank-{number}", weights_only=True) for number in (0, 1)]
    assert both[0][1][0] != both[1][1][0]
    assert differences(both[0][0], both[1][0]) == []

    # one process goes on as the first of the two
    restored = RandomStates()
    restored.load_state_dict(both[0][0])
    restore(restored)
    assert draw() == both[0][1]


def test_a_process_that_is_new_draws_numbers_of_its_own(tmp_path: Path) -> None:
    states = RandomStates().state_dict()
    first = draw()

    def work() -> int:
        join(tmp_path / "group")
        restored, drawn = RandomStates(), []
        for _ in range(2):
            restored.load_state_dict(states)
            restore(restored)
            drawn.append(draw())
        return 0 if drawn[0] == drawn[1] and (drawn[0] == first) == (rank() == 0) else 1

    assert run_ranks(2, work, tmp_path / "log") == [0, 0]
