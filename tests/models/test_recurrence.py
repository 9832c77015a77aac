from typing import get_args

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from rrnn_lit.models.packing import Packing
from rrnn_lit.models.recurrence import Course, FirstStep, Result, recur
from rrnn_lit.models.residual_rnn import ResidualRNN
from rrnn_lit.models.weight_gradients import WeightGradients
from tests.reference import run_cell

CPU = torch.device("cpu")
LENGTHS = torch.tensor([3, 7, 1, 5, 7])
FIRST_STEPS = get_args(FirstStep)
DIRECTIONS = [
    ("encoder", "last"),
    ("forward encoder", "last"),
    ("decoder", "states"),
    ("decoder", "activations"),
]


def make_cell(first_step: FirstStep, hidden_size: int = 5, residual: bool = True) -> ResidualRNN:
    cell = ResidualRNN(3, hidden_size, first_step, residual).double()
    for parameter in cell.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return cell


def parameters_of(cell: ResidualRNN) -> tuple[Tensor, ...]:
    first = cell.weight_x, cell.bias_1, cell.bias_0
    return *first, cell.weight_h, cell.weight_2, cell.bias_2


def run(
    cell: ResidualRNN,
    inputs_BTI: Tensor,
    packing: Packing,
    direction: str,
    result: Result,
    deferred: WeightGradients | None = None,
) -> Tensor:
    """Run encoder or decoder; the decoder sees each sentence's first vector at every step."""
    decodes = direction == "decoder"
    course = Course.over(
        packing,
        direction == "encoder",
        decodes,
        cell.first_step,
        result,
        deferred,
        cell.residual,
    )
    inputs = inputs_BTI[packing.order_B, 0] if decodes else packing.pack(inputs_BTI)
    return recur(inputs, parameters_of(cell), course)


def run_slowly(cell: ResidualRNN, inputs_BTI: Tensor, direction: str, result: Result) -> Tensor:
    """The same, sentence by sentence."""
    packing = Packing.of(LENGTHS, CPU)
    last, states = [], []
    for inputs_TI, length in zip(inputs_BTI, LENGTHS.tolist(), strict=True):
        words_TI = inputs_TI[:length]
        if direction == "encoder":
            words_TI = words_TI.flip(0)
        if direction == "decoder":
            words_TI = inputs_TI[:1].expand(length, -1)
        states_TH = run_cell(cell, words_TI)
        last.append(states_TH[-1])
        states.append(torch.cat([states_TH, states_TH.new_zeros(7 - length, 5)]))
    if result == "last":
        return torch.stack(last)[packing.order_B]
    rows_NH = packing.pack(torch.stack(states))
    return torch.tanh(rows_NH) if result == "activations" else rows_NH


def gradients(
    value: Tensor, outer: Tensor, cell: ResidualRNN, inputs_BTI: Tensor
) -> tuple[Tensor, ...]:
    return torch.autograd.grad((value * outer).sum(), [inputs_BTI, *cell.parameters()])


@pytest.mark.parametrize("share_of_zeros", [0.0, 0.7, 1.0])
@pytest.mark.parametrize(("direction", "result"), DIRECTIONS)
@pytest.mark.parametrize("first_step", FIRST_STEPS)
@pytest.mark.parametrize("residual", [True, False])
def test_values_and_gradients_equal_the_loop_over_sentences(
    residual: bool, first_step: FirstStep, direction: str, result: Result, share_of_zeros: float
) -> None:
    cell = make_cell(first_step, residual=residual)
    inputs_BTI = torch.randn(5, 7, 3, dtype=torch.float64, requires_grad=True)
    wanted = run_slowly(cell, inputs_BTI, direction, result)
    value = run(cell, inputs_BTI, Packing.of(LENGTHS, CPU), direction, result)
    torch.testing.assert_close(value, wanted)
    # rows of zeros are what match drop leaves
    outer = torch.randn_like(wanted) * (torch.rand(len(wanted), 1) >= share_of_zeros)
    torch.testing.assert_close(
        gradients(value, outer, cell, inputs_BTI), gradients(wanted, outer, cell, inputs_BTI)
    )


@pytest.mark.parametrize(("direction", "result"), DIRECTIONS)
@pytest.mark.parametrize("first_step", FIRST_STEPS)
@pytest.mark.parametrize("residual", [True, False])
def test_gradcheck_over_ragged_sentences(
    residual: bool, first_step: FirstStep, direction: str, result: Result
) -> None:
    cell = make_cell(first_step, hidden_size=2)
    packing = Packing.of(torch.tensor([2, 3, 1]), CPU)
    decodes = direction == "decoder"
    course = Course.over(
        packing, direction == "encoder", decodes, first_step, result, None, residual
    )
    inputs = torch.randn(3 if decodes else 6, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, *weights: recur(x, weights, course), (inputs, *parameters_of(cell))
    )


@pytest.mark.parametrize(("direction", "result"), DIRECTIONS)
@pytest.mark.parametrize("first_step", FIRST_STEPS)
@pytest.mark.parametrize("residual", [True, False])
def test_padded_rows_change_nothing(
    residual: bool, first_step: FirstStep, direction: str, result: Result
) -> None:
    cell = make_cell(first_step, residual=residual)
    inputs_BTI = torch.randn(5, 9, 3, dtype=torch.float64, requires_grad=True)
    packed, padded = Packing.of(LENGTHS, CPU), Packing.padded(LENGTHS, 9)
    wanted = run(cell, inputs_BTI, packed, direction, result)
    value = run(cell, inputs_BTI, padded, direction, result)
    outer = torch.randn(5, 9, 5, dtype=torch.float64)
    if result == "last":
        outers = outer[:, 0][packed.order_B], outer[:, 0]
        value_in_order = value[packed.order_B]
    else:
        outers = packed.pack(outer), padded.pack(outer)
        # beyond a sentence no loss ever looks
        assert padded.inside_N is not None
        outers = outers[0], outers[1] * padded.inside_N[:, None]
        value_in_order = packed.pack(padded.unpack(value, 9))
    torch.testing.assert_close(value_in_order, wanted)
    torch.testing.assert_close(
        gradients(value, outers[1], cell, inputs_BTI),
        gradients(wanted, outers[0], cell, inputs_BTI),
    )


# a few roundings of eps / 2 a step, over seven steps: eps is 2^-7, 2^-10 and 2^-23
@pytest.mark.parametrize(("direction", "result"), DIRECTIONS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.bfloat16, 0.03), (torch.float16, 0.004), (None, 1e-5)]
)
def test_low_precision_is_near_float64(
    dtype: torch.dtype | None, tolerance: float, direction: str, result: Result
) -> None:
    cell = make_cell("bias_term", hidden_size=64)
    for parameter in cell.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    inputs_BTI = torch.randn(5, 7, 3, dtype=torch.float64, requires_grad=True)
    packing = Packing.of(LENGTHS, CPU)
    wanted = run(cell, inputs_BTI, packing, direction, result)
    outer = torch.randn_like(wanted)
    slow = gradients(wanted, outer, cell, inputs_BTI)
    cell = cell.float()
    inputs_BTI = inputs_BTI.detach().float().requires_grad_()
    with torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
        value = run(cell, inputs_BTI, packing, direction, result)
    fast = gradients(value, outer.to(value.dtype), cell, inputs_BTI)
    for got, want in zip((value, *fast), (wanted, *slow), strict=True):
        error = (got - want).detach().abs().max() / want.detach().abs().max()
        assert float(error) < tolerance


def test_weight_gradients_are_one_product_a_matrix_however_many_steps() -> None:
    cell = make_cell("bias_term", hidden_size=4)
    flops = []
    for num_steps in (5, 10):
        packing = Packing.of(torch.full((2,), num_steps), CPU)
        inputs_NI = torch.randn(2 * num_steps, 3, dtype=torch.float64)
        value = cell.read_backwards(inputs_NI, packing)
        with FlopCounterMode(display=False) as counter:
            value.sum().backward()
        calls = counter.get_flop_counts()["Global"]
        assert sum(calls.values()) == counter.get_total_flops()
        flops.append(counter.get_total_flops())
    # W_2 and W_h of every step but W_h of the first; and three products over all rows
    wanted = [2 * 2 * 16 * (2 * t - 1) + 2 * (2 * t) * 4 * (4 + 4 + 3) for t in (5, 10)]
    assert flops == wanted


@pytest.mark.parametrize(("direction", "saved"), [("encoder", 2), ("decoder", 3)])
def test_two_tensors_a_step_are_kept_and_the_decoder_its_result(
    direction: str, saved: int
) -> None:
    cell = make_cell("bias_term")
    inputs_BTI = torch.randn(5, 7, 3, dtype=torch.float64)
    packing = Packing.of(LENGTHS, CPU)
    kept: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        run(cell, inputs_BTI, packing, direction, "last" if saved == 2 else "activations")
    assert sum(x.shape == (23, 5) for x in kept) == saved
    assert all(x.shape[0] <= 23 for x in kept)


def test_matched_sentences_cost_no_way_back() -> None:
    cell = make_cell("bias_term")
    packing = Packing.of(LENGTHS, CPU)
    inputs_NI = torch.randn(23, 3, dtype=torch.float64)
    flops = []
    for share in (1.0, 0.0):
        outer_BH = torch.ones(5, 5, dtype=torch.float64)
        outer_BH[1:] *= share
        value = cell.read_backwards(inputs_NI, packing)
        with FlopCounterMode(display=False) as counter:
            value.backward(outer_BH)
        flops.append(counter.get_total_flops())
    # one sentence of 7 words remains of 23 rows
    assert flops[1] < flops[0] * 8 / 23


def test_deferred_gradients_are_those_of_autograd() -> None:
    cell = make_cell("bias_term")
    inputs_BTI = torch.randn(5, 7, 3, dtype=torch.float64)
    packing = Packing.of(LENGTHS, CPU)
    run(cell, inputs_BTI, packing, "encoder", "last").sum().backward()
    wanted = {n: p.grad.clone() for n, p in cell.named_parameters() if p.grad is not None}
    cell.zero_grad()
    deferred = WeightGradients()
    run(cell, inputs_BTI, packing, "encoder", "last", deferred).sum().backward()
    for name, parameter in cell.named_parameters():
        got = parameter.grad if "bias" in name else deferred.take(parameter)
        assert got is not None
        assert torch.equal(got, wanted[name])
        assert "bias" in name or parameter.grad is None


def test_state_sums_are_not_rounded_to_16_bit() -> None:
    # gradients of a constant state: g grows by one a step; beyond 256 bf16 knows even numbers only
    cell = ResidualRNN(1, 1, "learned_state")
    for parameter in cell.parameters():
        torch.nn.init.zeros_(parameter)
    packing = Packing.of(torch.tensor([301]), CPU)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states_NH = cell.write(torch.zeros(1, 1), packing, "states")
    states_NH.sum().backward()
    assert cell.bias_0.grad is not None
    assert float(cell.bias_0.grad) == 301
