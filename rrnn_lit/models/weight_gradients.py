"""Gradients of weight matrices: one product over all rows, now or later.

Autograd holds the gradients of all matrices until the optimizer has seen them. Where memory
decides (`memory: lean`), the two factors are kept instead, far smaller than the matrix, and the
optimizer forms each gradient right before it uses it (`training/lean_adam.py`).

Shapes: N rows, O outputs, I inputs of a linear map.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable


def weight_gradient(outer_NO: Tensor, inputs_NI: Tensor) -> Tensor:
    """Return outer' inputs, (O, I): the gradient of W in `inputs W'` whose own gradient is outer.

    Summed in fp32 over all rows; float64 stays float64. The result is fp32, or float64. On a CPU
    it has been rounded once to the precision of the factors.
    """
    if outer_NO.is_cuda and outer_NO.dtype in (torch.float16, torch.bfloat16):
        return torch.mm(outer_NO.T, inputs_NI, out_dtype=torch.float32)
    product_OI = torch.mm(outer_NO.T, inputs_NI)
    return product_OI if product_OI.dtype == torch.float64 else product_OI.float()


def product_dtype(weight: Tensor) -> torch.dtype:
    """Return the precision of products with a weight: autocast's where it is on.

    Autocast leaves float64 alone.
    """
    device = weight.device.type
    if weight.dtype == torch.float64 or not torch.amp.is_autocast_available(device):
        return weight.dtype
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight.dtype


def bias_gradient(outer_NO: Tensor) -> Tensor:
    """Return the sum of rows (O,), summed in fp32 like `weight_gradient`'s result."""
    carry = torch.float64 if outer_NO.dtype == torch.float64 else torch.float32
    if outer_NO.is_cuda:
        return outer_NO.sum(dim=0, dtype=carry)
    # on a CPU a wider result would first copy all rows; sums are wide inside, either way
    return outer_NO.sum(dim=0).to(carry)


class WeightGradients:
    """The factors of weight gradients that nobody has multiplied yet."""

    def __init__(self) -> None:
        self._factors: dict[Tensor, tuple[Tensor, Tensor]] = {}

    def add(self, weight: Tensor, outer_NO: Tensor, inputs_NI: Tensor) -> None:
        """Keep the factors of a weight's gradient.

        Raises:
            RuntimeError: the weight has factors already; two backward passes before an update
                would need a sum.
        """
        if weight in self._factors:
            raise RuntimeError("deferred weight gradients: wanted one backward pass per update")
        self._factors[weight] = outer_NO, inputs_NI

    def take(self, weight: Tensor) -> Tensor | None:
        """Return a weight's gradient and forget its factors; None if there are none."""
        factors = self._factors.pop(weight, None)
        return None if factors is None else weight_gradient(*factors)


def linear(layer: nn.Linear, inputs: Tensor, deferred: WeightGradients | None) -> Tensor:
    """Apply a linear layer whose gradients are those of this file.

    With `deferred` the weight's gradient goes there.
    """
    inputs = inputs.to(product_dtype(layer.weight))
    result: Tensor = _Linear.apply(inputs, layer.weight, layer.bias, deferred)  # type: ignore[no-untyped-call]
    return result


class _Linear(Function):
    @staticmethod
    def forward(
        ctx: Any, inputs_NI: Tensor, weight: Tensor, bias: Tensor, deferred: WeightGradients | None
    ) -> Tensor:
        ctx.weight, ctx.deferred = weight, deferred
        ctx.save_for_backward(inputs_NI)
        return F.linear(inputs_NI, weight.to(inputs_NI.dtype), bias.to(inputs_NI.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer_NO: Tensor) -> tuple[Tensor, Tensor | None, Tensor, None]:
        (inputs_NI,) = ctx.saved_tensors
        gradient_OI = None
        if ctx.deferred is None:
            gradient_OI = weight_gradient(outer_NO, inputs_NI)
        else:
            ctx.deferred.add(ctx.weight, outer_NO, inputs_NI)
        inner_NI = outer_NO @ ctx.weight.to(outer_NO.dtype)
        return inner_NI, gradient_OI, bias_gradient(outer_NO), None
