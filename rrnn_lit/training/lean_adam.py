"""LeanAdam: ADAM that sees one weight gradient at a time, for widths at the edge of the memory.

The backward pass leaves the factors of the weight gradients (`models/weight_gradients.py`), which
are far smaller than the gradients. Each update multiplies the factors of one matrix, updates it
and forgets its gradient before the next. The updates are those of `torch.optim.Adam`.

It cannot clip by the norm of all gradients, add up the gradients of several batches, or average
them over processes: each needs all of them at once.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rrnn_lit.models.weight_gradients import WeightGradients

_MOMENTS = ("exp_avg", "exp_avg_sq")


class LeanAdam(torch.optim.Adam):
    """ADAM on deferred weight gradients; parameters with a `.grad` (biases) come first.

    Args:
        groups: parameter groups.
        deferred: holds the factors of the gradients of parameters without `.grad`.
        options: those of `torch.optim.Adam`.
    """

    def __init__(
        self, groups: list[dict[str, Any]], deferred: WeightGradients, **options: Any
    ) -> None:
        self.half_moments = False  # store both moments in fp16 between updates
        self.measures_norm = False
        self.gradient_norm: Tensor | None = None  # of the last update with `measures_norm`
        self._deferred = deferred
        self._norms: list[Tensor] = []
        super().__init__(groups, **options)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Run the closure, which fills the gradients, and update every parameter once."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        parameters = [p for group in self.param_groups for p in group["params"]]
        gradients = [parameter.grad for parameter in parameters]
        self._norms = []
        self._update([p for p in parameters if p.grad is not None])
        for parameter in parameters:
            parameter.grad = None
        for parameter in parameters:
            gradient = self._deferred.take(parameter)
            if gradient is not None:
                parameter.grad = self._unscale(gradient)
                self._update([parameter])
                parameter.grad = None
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        if self.measures_norm:
            self.gradient_norm = torch.stack(self._norms).norm()
        return loss

    def _unscale(self, gradient: Tensor) -> Tensor:
        return gradient.div_(self.loss_scale) if hasattr(self, "loss_scale") else gradient

    def _update(self, parameters: list[Tensor]) -> None:
        """Update those parameters, the only ones that have a gradient."""
        self._store_moments(parameters, None)
        super().step()
        if self.half_moments:
            self._store_moments(parameters, torch.float16)
        if self.measures_norm:
            self._norms += [p.grad.norm() for p in parameters if p.grad is not None]

    def _store_moments(self, parameters: list[Tensor], dtype: torch.dtype | None) -> None:
        """Change the type of the moments; None is that of the parameter, which ADAM wants."""
        for parameter in parameters:
            state = self.state[parameter]
            for name in _MOMENTS:
                if name in state:
                    state[name] = state[name].to(dtype or parameter.dtype)
