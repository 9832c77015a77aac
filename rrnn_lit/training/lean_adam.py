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
from torch.optim.adam import adam

from rrnn_lit.models.weight_gradients import WeightGradients

_MOMENTS = ("exp_avg", "exp_avg_sq")


class LeanAdam(torch.optim.Adam):
    """ADAM on `.grad` where a parameter has one (biases), else on its deferred gradient.

    Args:
        groups: parameter groups.
        deferred: holds the factors of the gradients of parameters without `.grad`.
        half_moments: store both moments in fp16 between updates.
        options: those of `torch.optim.Adam`.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        deferred: WeightGradients,
        half_moments: bool,
        **options: Any,
    ) -> None:
        self.measures_norm = False
        self.gradient_norm: Tensor | None = None  # of the last update with `measures_norm`
        # set by the loss scaler for the time of a step: tensors on the device
        self.loss_scale: Tensor | None = None
        self.found_inf: Tensor | None = None
        self._deferred = deferred
        self._half_moments = half_moments
        super().__init__(groups, **options)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Run the closure, which fills the gradients, and update every parameter once."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        norms = []
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = self._gradient(parameter)
                if gradient is not None:
                    if self.measures_norm:
                        norms.append(gradient.norm())
                    self._update(parameter, gradient, group)
        if self.measures_norm:
            self.gradient_norm = torch.stack(norms).norm()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a state; torch has made its moments fp32."""
        super().load_state_dict(state_dict)
        if self._half_moments:
            for state in self.state.values():
                _store(state, torch.float16)

    def _gradient(self, parameter: Tensor) -> Tensor | None:
        """Return a parameter's gradient without the loss scale."""
        if parameter.grad is not None:
            return parameter.grad
        gradient = self._deferred.take(parameter)
        if gradient is None or self.loss_scale is None:
            return gradient
        return gradient.div_(self.loss_scale)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), device=parameter.device)
            for name in _MOMENTS:
                state[name] = torch.zeros_like(parameter)
        _store(state, parameter.dtype)
        adam(
            [parameter],
            [gradient],
            [state["exp_avg"]],
            [state["exp_avg_sq"]],
            [],
            [state["step"]],
            fused=True,
            found_inf=self.found_inf,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
        if self._half_moments:
            _store(state, torch.float16)


def _store(state: dict[str, Tensor], dtype: torch.dtype) -> None:
    for name in _MOMENTS:
        state[name] = state[name].to(dtype)
