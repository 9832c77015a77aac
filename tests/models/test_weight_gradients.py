import pytest
import torch
from torch import nn

from rrnn_lit.models.weight_gradients import (
    WeightGradients,
    bias_gradient,
    linear,
    weight_gradient,
)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_gradients_of_a_linear_map_are_wide(dtype: torch.dtype) -> None:
    outer_NO, inputs_NI = torch.randn(400, 3).to(dtype), torch.randn(400, 5).to(dtype)
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    got = weight_gradient(outer_NO, inputs_NI), bias_gradient(outer_NO)
    wanted = outer_NO.double().T @ inputs_NI.double(), outer_NO.double().sum(dim=0)
    for a, b in zip(got, wanted, strict=True):
        assert a.dtype == wide
        # one rounding to the precision of the factors, not one a row
        eps = torch.finfo(dtype).eps
        # 400 summands of magnitude one
        atol = 1e-12 if dtype == torch.float64 else 1e-4
        torch.testing.assert_close(a.double(), b, rtol=eps, atol=atol)


@pytest.mark.parametrize("autocast", [False, True])
def test_a_deferred_layer_computes_what_the_layer_computes(autocast: bool) -> None:
    layer = nn.Linear(6, 4)
    inputs_NI = torch.randn(7, 6, requires_grad=True)
    outer_NO = torch.randn(7, 4)
    results = []
    for deferred in (None, WeightGradients()):
        layer.zero_grad()
        inputs_NI.grad = None
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            value = linear(layer, inputs_NI, deferred)
        value.backward(outer_NO.to(value.dtype))
        weight = layer.weight.grad if deferred is None else deferred.take(layer.weight)
        assert (layer.weight.grad is None) == (deferred is not None)
        results.append((value, weight, layer.bias.grad, inputs_NI.grad))
    for a, b in zip(*results, strict=True):
        assert a is not None
        assert b is not None
        assert a.dtype == b.dtype
        # both round every result to bf16 once, eps 1 / 128
        torch.testing.assert_close(a, b, rtol=0.01 if autocast else 1e-6, atol=1e-6)


def test_a_gradient_is_taken_once() -> None:
    deferred, weight = WeightGradients(), torch.zeros(1, 1)
    assert deferred.take(weight) is None
    deferred.add(weight, torch.tensor([[2.0]]), torch.tensor([[3.0]]))
    taken = deferred.take(weight)
    assert taken is not None
    assert taken.tolist() == [[6.0]]
    assert deferred.take(weight) is None


def test_a_second_backward_pass_before_the_update_is_refused() -> None:
    deferred, weight = WeightGradients(), torch.zeros(1, 1)
    deferred.add(weight, torch.ones(1, 1), torch.ones(1, 1))
    with pytest.raises(RuntimeError, match="wanted one backward pass per update"):
        deferred.add(weight, torch.ones(1, 1), torch.ones(1, 1))
