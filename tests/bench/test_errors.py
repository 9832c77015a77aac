import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rrnn_lit.bench.errors import norm_error, peak_error, verdict

EXACT = [torch.tensor([3.0, -4.0]).double(), torch.tensor([1.0]).double()]
MEASURES = [norm_error, peak_error]
Measure = Callable[[list[Tensor], list[Tensor]], float]


@pytest.mark.parametrize(("measure", "error"), [(norm_error, 1 / 5), (peak_error, 1 / 4)])
def test_errors_by_hand(measure: Measure, error: float) -> None:
    assert measure([torch.tensor([3.0, -3.0]), torch.tensor([1.0])], EXACT) == error


@pytest.mark.parametrize("measure", MEASURES)
def test_the_worst_tensor_counts_and_nan_is_the_worst(measure: Measure) -> None:
    assert measure([torch.tensor([3.0, -4.0]), torch.tensor([0.5])], EXACT) == 0.5
    nan = torch.tensor([math.nan])
    assert math.isnan(measure([torch.tensor([3.0, -4.0]), nan], EXACT))
    assert math.isnan(measure([nan.expand(2), torch.tensor([1.0])], EXACT))


@pytest.mark.parametrize(
    ("precision", "errors", "text"),
    [
        ("fp32", (3e-7, 9e-5), ""),
        ("fp32", (3e-7, 3e-3), ", wrong"),
        ("bf16", (3e-3, 4e-2), ""),
        ("fp16", (0.9, 1e-4), ", wrong"),
        ("bf16", (1e-3, math.nan), ", wrong"),
    ],
)
def test_what_rounding_cannot_explain_is_wrong(
    precision: str, errors: tuple[float, ...], text: str
) -> None:
    assert verdict(precision, *errors) == text
