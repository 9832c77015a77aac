"""Lean ADAM does the updates of standard ADAM with one weight gradient in memory at a time."""

import pytest
import torch

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.weight_gradients import WeightGradients
from rrnn_lit.training.lean_adam import LeanAdam
from rrnn_lit.training.optimizer import RoundMoments, make_adam
from rrnn_lit.training.precision import LossScaler

SHAPE = AutoencoderShape(4, 6, 5, "bias_term", 0.0, True, "output")
LENGTHS_B = torch.tensor([2, 5, 3])


def make_model() -> SentenceAutoencoder:
    model = SentenceAutoencoder(SHAPE)
    torch.manual_seed(3)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model


def make_optimizer(
    model: SentenceAutoencoder, lean: bool, rounds: RoundMoments = "none"
) -> torch.optim.Adam:
    deferred = WeightGradients() if lean else None
    if deferred is not None:
        model.defer_weight_gradients(deferred)
    return make_adam(model.parameters(), 0.01, (0.85, 0.99), 1e-8, 0.01, rounds, deferred)


def train(
    lean: bool, num_steps: int = 4, rounds: RoundMoments = "none", scaler: LossScaler | None = None
) -> tuple[SentenceAutoencoder, torch.optim.Adam]:
    model = make_model()
    optimizer = make_optimizer(model, lean, rounds)
    generator = torch.Generator().manual_seed(5)
    for step in range(num_steps):
        words_BTW = torch.randn(3, 5, 4, generator=generator)
        optimizer.zero_grad()
        loss = (model(words_BTW, LENGTHS_B) - words_BTW).square().sum()
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            # step 2 overflows
            scaler.scale(loss * torch.inf if step == 2 else loss).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
    return model, optimizer


def same(first: SentenceAutoencoder, second: SentenceAutoencoder) -> None:
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("rounds", ["none", "fp16"])
def test_updates_are_those_of_standard_memory(rounds: RoundMoments) -> None:
    (standard, _), (lean, _) = train(False, rounds=rounds), train(True, rounds=rounds)
    same(lean, standard)
    start = make_model()
    assert not torch.allclose(lean.decoder.output.weight, start.decoder.output.weight)


def test_no_weight_gradient_outlives_the_update() -> None:
    model, _ = train(True)
    for name, parameter in model.named_parameters():
        assert (parameter.grad is None) == (parameter.dim() > 1), name


def test_half_moments_are_stored_in_16_bit() -> None:
    _, optimizer = train(True, rounds="fp16")
    for state in optimizer.state.values():
        assert state["exp_avg"].dtype == state["exp_avg_sq"].dtype == torch.float16


def test_loss_scale_and_skipped_steps_are_those_of_standard_memory() -> None:
    results = []
    for lean in (False, True):
        scaler = LossScaler("cpu", init_scale=1024.0)
        model, optimizer = train(lean, scaler=scaler)
        updates = {float(state["step"]) for state in optimizer.state.values()}
        results.append((model, updates, scaler.get_scale()))
    same(results[0][0], results[1][0])
    # three of four steps, and the scale was halved once
    assert results[0][1:] == results[1][1:] == ({3.0}, 512.0)


def test_resumed_state_continues_exactly() -> None:
    straight, _ = train(True, num_steps=4, rounds="fp16")
    model, optimizer = train(True, num_steps=2, rounds="fp16")
    state = optimizer.state_dict()
    second = make_optimizer(model, True, "fp16")
    second.load_state_dict(state)
    assert {s["exp_avg"].dtype for s in second.state.values()} == {torch.float16}
    generator = torch.Generator().manual_seed(5)
    words = [torch.randn(3, 5, 4, generator=generator) for _ in range(4)]
    for words_BTW in words[2:]:
        second.zero_grad()
        (model(words_BTW, LENGTHS_B) - words_BTW).square().sum().backward()
        second.step()
    for a, b in zip(model.parameters(), straight.parameters(), strict=True):
        assert torch.equal(a, b)


def test_gradient_norm_is_that_of_all_gradients() -> None:
    model = make_model()
    words_BTW = torch.randn(3, 5, 4)
    (model(words_BTW, LENGTHS_B) - words_BTW).square().sum().backward()
    wanted = torch.nn.utils.get_total_norm(
        [p.grad for p in model.parameters() if p.grad is not None]
    )
    optimizer = make_optimizer(model, True)
    assert isinstance(optimizer, LeanAdam)
    optimizer.measures_norm = True
    model.zero_grad()
    (model(words_BTW, LENGTHS_B) - words_BTW).square().sum().backward()
    optimizer.step()
    torch.testing.assert_close(optimizer.gradient_norm, wanted)


@pytest.mark.parametrize("bad", [torch.inf, torch.nan])
@pytest.mark.parametrize("name", [n for n, _ in SentenceAutoencoder(SHAPE).named_parameters()])
def test_a_weight_gradient_that_is_not_finite_shows_in_a_bias(name: str, bad: float) -> None:
    # the loss scaler sees bias gradients only
    model = make_model()
    deferred = WeightGradients()
    model.defer_weight_gradients(deferred)
    words_BTW = torch.randn(3, 5, 4)
    parameter = model.get_parameter(name)
    predicted_BTW = model(words_BTW, LENGTHS_B)
    predicted_BTW.register_hook(lambda g: g.index_fill(0, torch.tensor([0]), bad))
    predicted_BTW.square().sum().backward()
    gradient = parameter.grad if parameter.dim() == 1 else deferred.take(parameter)
    assert gradient is not None
    biases = [p.grad for p in model.parameters() if p.dim() == 1]
    assert all(b is not None and not b.isfinite().all() for b in biases)
    assert not gradient.isfinite().all()
