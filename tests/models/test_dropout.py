import pytest
import torch

from rrnn_lit.models.dropout import LockedDropout
from rrnn_lit.models.packing import Packing


def drop(inputs_BTH: torch.Tensor, p: float = 0.5, locked: bool = True) -> torch.Tensor:
    """Apply dropout in training mode to sentences of equal length."""
    lengths_B = torch.full(inputs_BTH.shape[:1], inputs_BTH.shape[1])
    packing = Packing.of(lengths_B, inputs_BTH.device)
    outputs_NH = LockedDropout(p, locked)(packing.pack(inputs_BTH), packing)
    return packing.unpack(outputs_NH, inputs_BTH.shape[1])


def test_locked_mask_is_the_same_at_all_words() -> None:
    outputs_BTH = drop(torch.ones(8, 5, 40))
    assert torch.equal(outputs_BTH, outputs_BTH[:, :1].expand_as(outputs_BTH))


def test_every_sentence_and_unit_draws_for_itself() -> None:
    mask_BH = drop(torch.ones(8, 5, 40))[:, 0]
    assert len(mask_BH.unique(dim=0)) == 8
    assert len(mask_BH.unique(dim=1).T) > 30


def test_unlocked_mask_differs_between_words() -> None:
    outputs_BTH = drop(torch.ones(8, 5, 40), locked=False)
    assert not torch.equal(outputs_BTH, outputs_BTH[:, :1].expand_as(outputs_BTH))


@pytest.mark.parametrize("shape", [(30, 500), (30, 4, 500)])
@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.parametrize(("p", "kept"), [(0.5, 2.0), (0.2, 1.25)])
def test_kept_units_are_scaled_and_dropped_ones_are_zero(
    p: float, kept: float, locked: bool, shape: tuple[int, ...]
) -> None:
    inputs = torch.randn(shape)
    outputs = drop(inputs, p, locked) if len(shape) == 3 else LockedDropout(p, locked)(inputs)
    ratio = outputs / inputs
    is_kept = ratio != 0
    torch.testing.assert_close(ratio[is_kept], torch.full_like(ratio[is_kept], kept))
    # 15,000 independent draws: 0.03 is more than seven standard deviations
    assert abs(float(is_kept.float().mean()) - (1 - p)) < 0.03


@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.parametrize(("p", "training"), [(0.5, False), (0.0, True)])
def test_nothing_happens_in_evaluation_or_at_probability_zero(
    p: float, training: bool, locked: bool
) -> None:
    inputs_BTH = torch.randn(3, 4, 5)
    assert torch.equal(LockedDropout(p, locked).train(training)(inputs_BTH), inputs_BTH)


def test_gradient_passes_the_kept_units_only() -> None:
    inputs_BTH = torch.randn(3, 4, 50, requires_grad=True)
    outputs_BTH = drop(inputs_BTH)
    (gradient_BTH,) = torch.autograd.grad(outputs_BTH.sum(), inputs_BTH)
    assert torch.equal(gradient_BTH, 2.0 * (outputs_BTH != 0))


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, float("nan")])
def test_a_probability_outside_its_range_is_refused_by_name(p: float) -> None:
    with pytest.raises(ValueError, match=r"model\.dropout: wanted a probability in \[0, 1\), got"):
        LockedDropout(p, locked=True)


@pytest.mark.parametrize("p", [0.1, 0.3])
def test_the_scale_is_right_in_16_bit(p: float) -> None:
    outputs = drop(torch.ones(40, 5, 200, dtype=torch.bfloat16), p)
    kept = outputs[outputs != 0].double()
    # one rounding of the product: half a spacing of bf16 around 1
    assert (kept - 1 / (1 - p)).abs().max() <= 2**-8
    assert float(outputs.double().mean()) == pytest.approx(1, abs=0.02)
