import pytest

from rrnn_lit.bench.ceilings import Ceilings
from rrnn_lit.bench.cost_model import (
    GRU,
    LSTM,
    RESIDUAL,
    Cell,
    Cost,
    StepSizes,
    adam_cost,
    layer_costs,
    match_cost,
    parameter_count,
    step_costs,
    step_floor,
)

# the paper's width and dictionary, 32 sentences of 24 words
PAPER = StepSizes(10_000, 300, 32, 24, 768, 3_000_000)
# a large GPU: 790 TFLOP/s in 16 bit, 4.3 TB/s
GPU = Ceilings({"fp16": 790e12, "int8": 1_580e12}, 4.3e12, 0)


def test_parameters_of_the_papers_width() -> None:
    assert parameter_count(10_000) == 606_070_300


@pytest.mark.parametrize(
    ("part", "gflop", "gigabytes", "milliseconds"),
    [
        ("encoder forward", 312, 9.6, 2.23),
        ("sentence vector", 13, 0.4, 0.09),
        ("decoder forward", 318, 9.8, 2.28),
        ("matching", 1_382, 1.8, 1.75),
        ("decoder data gradient", 318, 9.8, 2.28),
        ("encoder data gradient", 307, 9.6, 2.23),
        ("weight gradients", 636, 1.4, 0.81),
        ("ADAM", 7, 17.0, 3.95),
    ],
)
def test_parts_of_a_step_by_hand(
    part: str, gflop: float, gigabytes: float, milliseconds: float
) -> None:
    cost = step_costs(PAPER)[part]
    assert round(cost.flop / 1e9) == gflop
    assert round(cost.num_bytes / 1e9, 1) == gigabytes
    assert round(1e3 * cost.floor_seconds(GPU, "fp16"), 2) == milliseconds


def test_a_step_takes_the_sum_of_its_parts() -> None:
    costs = step_costs(PAPER)
    assert round(1e3 * step_floor(costs, GPU, "fp16", "fp16"), 1) == 15.6
    assert round(1e3 * step_floor(costs, GPU, "fp16", "int8"), 1) == 14.7


def test_a_floor_is_the_slower_of_arithmetic_and_memory() -> None:
    machine = Ceilings({"fp32": 10.0}, 5.0, 0)
    assert Cost(100, 10).floor_seconds(machine, "fp32") == 10
    assert Cost(100, 100).floor_seconds(machine, "fp32") == 20


@pytest.mark.parametrize(
    ("cache_bytes", "reads"), [(0, 24), (400_000_000, 1), (100_000_000, 1 + 23 * 0.75)]
)
def test_weights_that_fit_the_cache_are_read_once(cache_bytes: int, reads: float) -> None:
    cost = step_costs(PAPER, cache_bytes)["encoder data gradient"]
    assert cost.num_bytes == pytest.approx(reads * 400_000_000)


def test_matching_and_adam_by_hand() -> None:
    assert match_cost(2, 10, 3, 1) == Cost(120, 30)
    assert adam_cost(10) == Cost(120, 280)


@pytest.mark.parametrize(
    ("cell", "flop"),
    [
        # 2 rows n = 4, d = 3: forward and weights 4 (m n^2 + g n d) each, gradient 4 m n^2
        (RESIDUAL, 2 * 4 * (2 * 16 + 12) + 4 * 32),
        (LSTM, 2 * 4 * 4 * (16 + 12) + 4 * 64),
        (GRU, 2 * 4 * 3 * (16 + 12) + 4 * 48),
    ],
)
def test_layers_by_hand(cell: Cell, flop: int) -> None:
    costs = layer_costs(cell, StepSizes(4, 3, 1, 2, 2, 0))
    assert sum(cost.flop for cost in costs.values()) == flop
