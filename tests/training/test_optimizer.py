import math

import pytest
import torch
from torch import Tensor, nn

from rrnn_lit.training.optimizer import (
    count_updates,
    learning_rate_after,
    make_adam,
    update_learning_rate,
)

BETAS, EPS, L2, LEARNING_RATE = (0.85, 0.99), 1e-4, 0.03, 0.02


def make_parameters(dtype: torch.dtype = torch.float64) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(1)
    shapes = [(3, 2), (3,)]
    return [nn.Parameter(torch.randn(s, generator=generator, dtype=dtype)) for s in shapes]


def adam_by_hand(weight: Tensor, gradients: list[Tensor], l2: float) -> Tensor:
    """ADAM as the paper's source writes it: L2 inside the gradient, eps outside the root."""
    values = weight.detach().clone()
    first, second = torch.zeros_like(values), torch.zeros_like(values)
    for number, gradient in enumerate(gradients, start=1):
        total = gradient + l2 * values
        first = BETAS[0] * first + (1 - BETAS[0]) * total
        second = BETAS[1] * second + (1 - BETAS[1]) * total * total
        first_hat = first / (1 - BETAS[0] ** number)
        second_hat = second / (1 - BETAS[1] ** number)
        values = values - LEARNING_RATE * first_hat / (second_hat.sqrt() + EPS)
    return values


def test_equals_hand_written_steps() -> None:
    parameters = make_parameters()
    gradients = [[torch.randn_like(p) * 1e-3 for p in parameters] for _ in range(4)]
    wanted = [
        adam_by_hand(p, [step[i] for step in gradients], l2)
        for i, (p, l2) in enumerate(zip(parameters, (L2, 0.0), strict=True))
    ]
    optimizer = make_adam(parameters, LEARNING_RATE, BETAS, EPS, L2)
    for step in gradients:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
    torch.testing.assert_close([p.detach() for p in parameters], wanted)


def test_l2_spares_biases() -> None:
    weight, bias = make_parameters()
    before = [weight.detach().clone(), bias.detach().clone()]
    optimizer = make_adam([weight, bias], LEARNING_RATE, BETAS, EPS, L2)
    weight.grad, bias.grad = torch.zeros_like(weight), torch.zeros_like(bias)
    optimizer.step()
    assert torch.equal(bias, before[1])
    # L2 is the whole gradient: every weight goes towards zero
    assert bool((weight.detach().abs() < before[0].abs()).all())


def test_counts_performed_updates_only() -> None:
    parameters = make_parameters()
    optimizer = make_adam(parameters, LEARNING_RATE, BETAS, EPS, 0.0)
    assert count_updates(optimizer) == 0
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    optimizer.step()
    assert count_updates(optimizer) == 2


def test_learning_rate_of_the_paper_after_its_whole_run() -> None:
    # the paper: 2.35e-6 with the paper's digits, halved every 528,600 updates or so
    assert learning_rate_after(0, 4.22e-5, 0.9999987) == 4.22e-5
    after = learning_rate_after(2_220_000, 4.22e-5, 0.9999987)
    assert after == pytest.approx(4.22e-5 * math.exp(2_220_000 * math.log(0.9999987)), rel=1e-9)
    assert f"{after:.2e}" == "2.35e-06"


def test_learning_rate_of_the_next_update_reaches_every_group() -> None:
    parameters = make_parameters()
    optimizer = make_adam(parameters, LEARNING_RATE, BETAS, EPS, L2)
    rates = []
    for _ in range(3):
        update_learning_rate(optimizer, 0.5, 0.1)
        rates.append([group["lr"] for group in optimizer.param_groups])
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    assert rates == [[0.5, 0.5], [0.05, 0.05], pytest.approx([0.005, 0.005])]


def test_moments_are_rounded_to_fp16_after_each_step() -> None:
    parameters = make_parameters(torch.float32)
    optimizer = make_adam(parameters, LEARNING_RATE, BETAS, EPS, 0.0, "fp16")
    # the author's arithmetic: below 1.7e-3 the second moment (1 - beta2) g^2 cannot leave zero
    gradients = [torch.full_like(parameters[0], 1.2345e-3), torch.full_like(parameters[1], 0.3333)]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()
    small, large = (optimizer.state[p] for p in parameters)
    assert float(small["exp_avg_sq"].max()) == 0
    assert float(small["exp_avg"][0, 0]) == float(torch.tensor(0.15 * 1.2345e-3).half())
    assert float(large["exp_avg_sq"][0]) == float(torch.tensor(0.01 * 0.3333**2).half())
