"""The recurrence of a residual recurrent layer with a hand-written gradient.

    forward, a step:    h = tanh(p);  z = tanh(W_x x + b_1 + W_h h);  p = p + W_2 z + b_2
    backward, a step:   a = (g W_2) (1 - z^2);  g = g + (a W_h) (1 - h^2)
    behind the steps:   dW_2 = G' Z;  dW_h = A' H;  dW_x = A' X     over the rows of all steps

Autograd forms a weight gradient a step, each as large as the weights, and adds them up in 16 bit.
Here each matrix gets one product, summed in fp32. Only h and z are kept for it; the state p and
its gradient g are carried in fp32 (or float64); the inputs are projected before the loop, at once.
Rows are packed (`models/packing.py`), so that no word is computed that only pads.
Without the identity path (`residual` off) p and g are replaced at each step, not added to.

Shapes: N rows of all steps, B sentences, R rows of a step, I input size, H hidden_size.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from rrnn_lit.models.live_rows import LiveRows, find_live_rows
from rrnn_lit.models.packing import Packing, last_rows
from rrnn_lit.models.weight_gradients import (
    WeightGradients,
    bias_gradient,
    product_dtype,
    weight_gradient,
)

FirstStep = Literal["bias_term", "learned_state"]
Result = Literal["last", "states", "activations"]
_tanh_backward = torch.ops.aten.tanh_backward


@dataclass(frozen=True)
class Course:
    """How a recurrence runs.

    Attributes:
        step_sizes: rows of each position, falling from B.
        ranks_N: sentence of each row, by rank.
        first_rows: index of the rows of the sentences' first steps, by rank.
        inside_N: None; or bool, False in rows that only pad and must not change the last state.
        reverse: from the last position to the first (the encoder): sentences join as the course
            reaches their end. Otherwise all begin together and leave at their end.
        shared_input: whether all steps of a sentence see one input (the decoder).
        learned_state: whether b_0 is the state before the first step; otherwise it stands for the
            recurrent term of the first step, which has no identity path then.
        result: `last`: the state of every sentence after its last step, (B, H), fp32 or float64;
            `states`: those after every step, (N, H); `activations`: the tanh of these, in the
            precision of the products.
        deferred: takes the weight gradients in autograd's place; None leaves them to autograd.
        residual: whether a step adds to the state (the paper) or replaces it.
    """

    step_sizes: tuple[int, ...]
    ranks_N: Tensor
    first_rows: Tensor | slice
    inside_N: Tensor | None
    reverse: bool
    shared_input: bool
    learned_state: bool
    result: Result
    deferred: WeightGradients | None
    residual: bool

    @classmethod
    def over(
        cls,
        packing: Packing,
        reverse: bool,
        shared_input: bool,
        first_step: FirstStep,
        result: Result,
        deferred: WeightGradients | None = None,
        residual: bool = True,
    ) -> "Course":
        """Return the course over all rows of a packing."""
        return cls(
            packing.step_sizes,
            packing.ranks_N,
            packing.last_rows_B if reverse else slice(packing.num_sentences),
            packing.inside_N if reverse or result == "last" else None,
            reverse,
            shared_input,
            first_step == "learned_state",
            result,
            deferred,
            residual,
        )

    def only(self, live: LiveRows) -> "Course":
        """Return the course over a part of the rows."""
        first_rows: Tensor | slice = slice(live.step_sizes[0])
        if self.reverse:
            first_rows = torch.from_numpy(last_rows(live.step_sizes))
        return replace(self, step_sizes=live.step_sizes, first_rows=first_rows)

    def positions(self) -> range:
        """Return the positions of the words in the order of the steps."""
        positions = range(len(self.step_sizes))
        return positions[::-1] if self.reverse else positions


def recur(inputs: Tensor, parameters: tuple[Tensor, ...], course: Course) -> Tensor:
    """Run a residual recurrent layer over packed rows.

    Under autocast the products run in its precision.

    Args:
        inputs: one a row, (N, I), or with `shared_input` one a sentence, (B, I), by rank.
        parameters: W_x (H, I), b_1, b_0, W_h (H, H), W_2 (H, H), b_2.
        course: sizes, direction and result.
    """
    result: Tensor = _Recurrence.apply(inputs, *parameters, course)  # type: ignore[no-untyped-call]
    return result


class _Recurrence(Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, *arguments: Any) -> Tensor:
        *parameters, course = arguments
        masters = parameters[0], parameters[3], parameters[4]
        dtype = product_dtype(masters[0])
        inputs, weights = inputs.to(dtype), [weight.to(dtype) for weight in masters]
        last_BH, every_NH, h_NH, z_NH = _run(
            inputs, weights, (parameters[2], parameters[1], parameters[5]), course
        )
        activations_NH = every_NH if course.result == "activations" else None
        # in lean memory the weights are cast anew for the way back
        kept_weights = weights if course.deferred is None else []
        ctx.save_for_backward(inputs, h_NH, z_NH, activations_NH, *kept_weights)
        ctx.course, ctx.masters = course, masters
        return last_BH if every_NH is None else every_NH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        course: Course = ctx.course
        inputs, h_NH, z_NH, activations_NH, *weights = ctx.saved_tensors
        weights = weights or [weight.to(h_NH.dtype) for weight in ctx.masters]
        if activations_NH is not None:
            outer = _tanh_backward(outer, activations_NH)
        num_inputs, places = len(inputs), None
        live = None
        # on a GPU the host would have to wait, and few rows take as long as many
        if course.inside_N is None and outer.device.type == "cpu":
            live = find_live_rows(outer, course.step_sizes)
        if live is not None:
            places = live.ranks_L if course.shared_input else live.rows_M
            outer = outer[live.ranks_L if course.result == "last" else live.rows_M]
            inputs, h_NH, z_NH = inputs[places], h_NH[live.rows_M], z_NH[live.rows_M]
            course = course.only(live)
        start_BH, shared_BH, g_NH, a_NH = _run_back(outer, weights, h_NH, z_NH, course)
        a_inputs = a_NH if shared_BH is None else shared_BH.to(a_NH.dtype)
        weight_gradients = _weight_gradients(
            ctx.masters, ((a_inputs, inputs), (a_NH, h_NH), (g_NH, z_NH)), course.deferred
        )
        first_NH = start_BH if course.learned_state else a_NH[course.first_rows]
        sums = [bias_gradient(rows_NH) for rows_NH in (a_NH, first_NH, g_NH)]
        inner = None
        if ctx.needs_input_grad[0]:
            inner = a_inputs @ weights[0]
            if places is not None:
                inner = inner.new_zeros(num_inputs, inner.shape[1]).index_copy(0, places, inner)
        d_x, d_h, d_2 = weight_gradients
        return inner, d_x, sums[0], sums[1], d_h, d_2, sums[2], None


def _run(
    inputs: Tensor, weights: list[Tensor], biases: tuple[Tensor, Tensor, Tensor], course: Course
) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
    """Return the last states (B, H), the wanted result of every step or None, h and z (N, H)."""
    bias_0, bias_1, bias_2 = biases
    dtype = inputs.dtype
    carry = torch.float64 if dtype == torch.float64 else torch.float32
    z_NH = F.linear(inputs, weights[0], bias_1.to(dtype))
    if course.shared_input:
        z_NH = z_NH[course.ranks_N]
    start_H = bias_0.to(carry)
    if not course.learned_state:
        z_NH[course.first_rows] += bias_0.to(dtype)
        start_H = torch.zeros_like(start_H)
    h_NH, bias_2 = torch.empty_like(z_NH), bias_2.to(dtype)
    last_BH = start_H.repeat(course.step_sizes[0], 1)
    every_NH: Tensor | None = None
    if course.result != "last":
        every_NH = z_NH.new_empty(z_NH.shape, dtype=carry if course.result == "states" else dtype)
    h_steps, z_steps = h_NH.split(course.step_sizes), z_NH.split(course.step_sizes)
    every_steps = None if every_NH is None else every_NH.split(course.step_sizes)
    inside_steps = None if course.inside_N is None else course.inside_N.split(course.step_sizes)
    recurrent_HH = weights[1].T
    for step, position in enumerate(course.positions()):
        z_RH = z_steps[position]
        state_RH = last_BH[: len(z_RH)]
        h_RH = torch.tanh(state_RH.to(dtype), out=h_steps[position])
        if step or course.learned_state:  # otherwise h is zero
            torch.addmm(z_RH, h_RH, recurrent_HH, out=z_RH)
        update_RH = F.linear(z_RH.tanh_(), weights[2], bias_2)
        inside_R = None if inside_steps is None else inside_steps[position]
        _change(state_RH, update_RH, inside_R, course.residual)
        if every_steps is not None:
            result_RH = every_steps[position].copy_(state_RH)
            if course.result == "activations":
                result_RH.tanh_()
    return last_BH, every_NH, h_NH, z_NH


def _run_back(
    outer: Tensor, weights: list[Tensor], h_NH: Tensor, z_NH: Tensor, course: Course
) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
    """Return gradients of the start states (B, H), of shared inputs, and g and a of all rows."""
    g_NH, a_NH = torch.empty_like(h_NH), torch.empty_like(h_NH)
    carry = torch.float64 if h_NH.dtype == torch.float64 else torch.float32
    if course.result == "last":
        state_BH = outer.to(carry, copy=True)
    else:
        state_BH = outer.new_zeros(course.step_sizes[0], h_NH.shape[1], dtype=carry)
    shared_BH = torch.zeros_like(state_BH) if course.shared_input else None
    h_steps, z_steps, g_steps, a_steps = (
        rows.split(course.step_sizes) for rows in (h_NH, z_NH, g_NH, a_NH)
    )
    outer_steps = None if course.result == "last" else outer.split(course.step_sizes)
    inside_steps = None if course.inside_N is None else course.inside_N.split(course.step_sizes)
    for step, position in reversed(list(enumerate(course.positions()))):
        g_RH = g_steps[position]
        state_RH = state_BH[: len(g_RH)]
        if outer_steps is not None:
            state_RH += outer_steps[position]
        g_RH.copy_(state_RH)
        inside_R = None if inside_steps is None else inside_steps[position]
        if inside_R is not None:
            g_RH.masked_fill_(~inside_R[:, None], 0.0)
        a_RH = a_steps[position]
        _tanh_backward.grad_input(g_RH @ weights[2], z_steps[position], grad_input=a_RH)
        if shared_BH is not None:
            shared_BH[: len(a_RH)] += a_RH
        if step or course.learned_state:
            through_RH = _tanh_backward(a_RH @ weights[1], h_steps[position])
            # rows that only pad add zero
            _change(state_RH, through_RH, None if course.residual else inside_R, course.residual)
    return state_BH, shared_BH, g_NH, a_NH


def _change(state_RH: Tensor, change_RH: Tensor, inside_R: Tensor | None, residual: bool) -> None:
    """Add to states or replace them, in place; rows that only pad keep theirs."""
    if inside_R is not None:
        change_RH = torch.where(inside_R[:, None], change_RH, 0.0 if residual else state_RH)
    if residual:
        state_RH += change_RH
    else:
        state_RH.copy_(change_RH)


def _weight_gradients(
    masters: tuple[Tensor, ...],
    factors: tuple[tuple[Tensor, Tensor], ...],
    deferred: WeightGradients | None,
) -> list[Tensor | None]:
    if deferred is None:
        return [weight_gradient(*pair) for pair in factors]
    for weight, pair in zip(masters, factors, strict=True):
        deferred.add(weight, *pair)
    return [None] * len(masters)
