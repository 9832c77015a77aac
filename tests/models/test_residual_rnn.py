from math import tanh
from typing import Any, get_args

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from rrnn_lit.models.packing import Packing
from rrnn_lit.models.recurrence import FirstStep
from rrnn_lit.models.residual_rnn import ResidualRNN
from tests.reference import run_cell

FIRST_STEPS = get_args(FirstStep)


def make_cell(
    first_step: FirstStep = "bias_term", input_size: int = 3, hidden_size: int = 5
) -> ResidualRNN:
    cell = ResidualRNN(input_size, hidden_size, first_step).double()
    for parameter in cell.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return cell


def write(cell: ResidualRNN, input_BI: Tensor, num_steps: int) -> Tensor:
    """The states (B, T, H) of steps that all see the same input."""
    packing = Packing.of(torch.full((len(input_BI),), num_steps), input_BI.device)
    return packing.unpack(cell.write(input_BI, packing, "states"), num_steps)


def fill(cell: ResidualRNN, **values: Any) -> None:
    with torch.no_grad():
        for name, value in values.items():
            getattr(cell, name).copy_(torch.as_tensor(value))


@pytest.mark.parametrize("num_steps", [1, 2, 7])
@pytest.mark.parametrize("first_step", FIRST_STEPS)
def test_equals_loop_reference(first_step: FirstStep, num_steps: int) -> None:
    cell = make_cell(first_step)
    inputs_BTI = torch.randn(4, num_steps, 3, dtype=torch.float64)
    wanted_BTH = torch.stack([run_cell(cell, inputs_TI) for inputs_TI in inputs_BTI])
    torch.testing.assert_close(cell(inputs_BTI), wanted_BTH)


@pytest.mark.parametrize("first_step", FIRST_STEPS)
def test_gradients_equal_those_of_the_loop_reference(first_step: FirstStep) -> None:
    cell = make_cell(first_step)
    inputs_BTI = torch.randn(4, 6, 3, dtype=torch.float64)
    weights_BTH = torch.randn(4, 6, 5, dtype=torch.float64)
    parameters = list(cell.parameters())
    fast = torch.autograd.grad((cell(inputs_BTI) * weights_BTH).sum(), parameters)
    slow_BTH = torch.stack([run_cell(cell, inputs_TI) for inputs_TI in inputs_BTI])
    slow = torch.autograd.grad((slow_BTH * weights_BTH).sum(), parameters)
    torch.testing.assert_close(fast, slow)


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("first_step", FIRST_STEPS)
def test_gradcheck(first_step: FirstStep, constant: bool) -> None:
    cell = make_cell(first_step, input_size=2, hidden_size=3)
    names, values = zip(*cell.named_parameters(), strict=True)

    def states(inputs: Tensor, *parameters: Tensor) -> Tensor:
        if constant:
            inputs = inputs[:, :1].expand(-1, 3, -1)
        result: Tensor = functional_call(
            cell, dict(zip(names, parameters, strict=True)), (inputs,)
        )
        return result

    inputs_BTI = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(states, (inputs_BTI, *values))


def test_fp32_agrees_with_float64() -> None:
    cell = make_cell()
    inputs_BTI = torch.randn(4, 7, 3, dtype=torch.float64)
    wanted_BTH = cell(inputs_BTI)
    # wanted 1e-5 of the largest states: the weights have gain above 1, so errors grow with steps
    torch.testing.assert_close(
        cell.float()(inputs_BTI.float()).double(), wanted_BTH, rtol=1e-5, atol=1e-5
    )


def test_two_steps_computed_by_hand() -> None:
    cell = ResidualRNN(1, 2, "bias_term").double()
    fill(
        cell,
        weight_x=[[1.0], [-2.0]],
        weight_h=[[0.5, 0.0], [1.0, -1.0]],
        weight_2=[[2.0, 1.0], [0.0, 3.0]],
        bias_0=[0.1, -0.1],
        bias_1=[0.2, 0.3],
        bias_2=[-1.0, 0.5],
    )
    # x_1 = 1: W_x x_1 + b_1 + b_0 = (1.3, -1.8)
    p, q = tanh(1.3), tanh(-1.8)
    first = (2 * p + q - 1.0, 3 * q + 0.5)
    # x_2 = -1: W_x x_2 + b_1 = (-0.8, 2.3)
    c, d = tanh(first[0]), tanh(first[1])
    p, q = tanh(-0.8 + 0.5 * c), tanh(2.3 + c - d)
    second = (first[0] + 2 * p + q - 1.0, first[1] + 3 * q + 0.5)
    states_BTH = cell(torch.tensor([[[1.0], [-1.0]]], dtype=torch.float64))
    wanted_BTH = torch.tensor([[first, second]], dtype=torch.float64)
    torch.testing.assert_close(states_BTH, wanted_BTH)


def test_without_the_identity_path_the_second_step_forgets_the_first_state() -> None:
    cell = ResidualRNN(1, 1, "bias_term", residual=False).double()
    fill(cell, weight_x=[[1.0]], weight_h=[[0.5]], weight_2=[[2.0]], bias_2=[0.25])
    first = 2 * tanh(1.0) + 0.25
    second = 2 * tanh(-1.0 + 0.5 * tanh(first)) + 0.25
    states_BTH = cell(torch.tensor([[[1.0], [-1.0]]], dtype=torch.float64))
    torch.testing.assert_close(states_BTH.flatten().tolist(), [first, second])


@pytest.mark.parametrize(
    ("first_step", "wanted"), [("bias_term", [5.0, -5.0]), ("learned_state", [105.0, -105.0])]
)
def test_first_step_has_no_identity(first_step: FirstStep, wanted: list[float]) -> None:
    cell = make_cell(first_step, hidden_size=2)
    fill(cell, weight_2=torch.zeros(2, 2), bias_0=[100.0, -100.0], bias_2=[5.0, -5.0])
    state_BH = cell(torch.randn(1, 1, 3, dtype=torch.float64))[:, 0]
    assert state_BH.tolist() == [wanted]


def test_first_bias_stands_for_the_whole_recurrent_term() -> None:
    # in the other reading W_h would act on it
    cell = make_cell()
    inputs_BTI = torch.randn(2, 1, 3, dtype=torch.float64)
    before_BTH = cell(inputs_BTI)
    fill(cell, weight_h=cell.weight_h.detach() * 10)
    assert torch.equal(cell(inputs_BTI), before_BTH)
    fill(cell, bias_1=cell.bias_1.detach() + cell.bias_0.detach(), bias_0=torch.zeros(5))
    torch.testing.assert_close(cell(inputs_BTI), before_BTH)


def test_learned_state_passes_through_the_recurrent_weights() -> None:
    cell = make_cell("learned_state")
    inputs_BTI = torch.randn(2, 1, 3, dtype=torch.float64)
    wanted_BH = (
        cell.bias_0
        + cell.bias_2
        + (
            torch.tanh(
                inputs_BTI[:, 0] @ cell.weight_x.T
                + torch.tanh(cell.bias_0) @ cell.weight_h.T
                + cell.bias_1
            )
            @ cell.weight_2.T
        )
    )
    torch.testing.assert_close(cell(inputs_BTI)[:, 0], wanted_BH)


def test_identity_path_accumulates() -> None:
    cell = make_cell()
    fill(cell, weight_2=torch.zeros(5, 5))
    states_BTH = cell(torch.randn(3, 9, 3, dtype=torch.float64))
    steps_T1 = torch.arange(1, 10, dtype=torch.float64)[:, None]
    torch.testing.assert_close(states_BTH, (steps_T1 * cell.bias_2).expand(3, -1, -1))


def test_without_recurrence_is_a_sum_over_words() -> None:
    cell = make_cell()
    fill(cell, weight_h=torch.zeros(5, 5), bias_0=torch.zeros(5))
    inputs_BTI = torch.randn(2, 6, 3, dtype=torch.float64)
    branch_BTH = torch.tanh(inputs_BTI @ cell.weight_x.T + cell.bias_1)
    wanted_BTH = (branch_BTH @ cell.weight_2.T + cell.bias_2).cumsum(dim=1)
    torch.testing.assert_close(cell(inputs_BTI), wanted_BTH)
    shuffled_BTI = inputs_BTI[:, torch.randperm(6)]
    torch.testing.assert_close(cell(shuffled_BTI)[:, -1], wanted_BTH[:, -1])


def test_a_state_does_not_depend_on_later_words() -> None:
    cell = make_cell()
    inputs_BTI = torch.randn(2, 6, 3, dtype=torch.float64)
    whole_BTH = cell(inputs_BTI)
    torch.testing.assert_close(cell(inputs_BTI[:, :4]), whole_BTH[:, :4])


@pytest.mark.parametrize("num_steps", [1, 5])
@pytest.mark.parametrize("first_step", FIRST_STEPS)
def test_constant_input_equals_the_same_word_at_every_step(
    first_step: FirstStep, num_steps: int
) -> None:
    cell = make_cell(first_step)
    input_BI = torch.randn(4, 3, dtype=torch.float64)
    repeated_BTI = input_BI[:, None].expand(-1, num_steps, -1)
    torch.testing.assert_close(write(cell, input_BI, num_steps), cell(repeated_BTI))


def test_constant_input_is_projected_once() -> None:
    cell = ResidualRNN(30, 4, "bias_term")
    with FlopCounterMode(display=False) as counter:
        write(cell, torch.zeros(2, 30), 6)
    once, each_hidden = 2 * 2 * 30 * 4, 2 * 2 * 4 * 4
    # W_2 at all 6 steps, W_h at all but the first
    assert counter.get_total_flops() == once + (6 + 5) * each_hidden


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize(
    ("first_step", "bias_0", "weight_2", "wanted"),
    # h_1 = 128 tanh(100) = 128 in 16 bits, then seven updates; h_0 = 256, then eight updates
    [("bias_term", 100.0, 128.0, 128.875), ("learned_state", 256.0, 0.0, 257.0)],
)
def test_bf16_autocast_keeps_an_fp32_carry(
    first_step: FirstStep, bias_0: float, weight_2: float, wanted: float, constant: bool
) -> None:
    # neighbours of 128 in bf16 are 1 apart: a 16-bit sum would lose every update of 1/8
    cell = ResidualRNN(3, 1, first_step)
    fill(cell, weight_x=torch.zeros(1, 3), weight_h=torch.zeros(1, 1))
    fill(cell, weight_2=[[weight_2]], bias_0=[bias_0], bias_2=[0.125])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states_BTH = write(cell, torch.zeros(1, 3), 8) if constant else cell(torch.zeros(1, 8, 3))
    assert states_BTH.dtype == torch.float32
    assert states_BTH[0, -1].item() == wanted


def test_number_of_parameters_does_not_tell_the_first_steps_apart() -> None:
    counts = [
        sum(p.numel() for p in ResidualRNN(300, 100, first_step).parameters())
        for first_step in FIRST_STEPS
    ]
    assert counts == [2 * 100**2 + 300 * 100 + 3 * 100] * 2
