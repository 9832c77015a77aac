from typing import get_args

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.losses import Loss, match_drop_mask, reconstruction_loss

LOSSES = get_args(Loss)


def sentences(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Predicted and target vectors (3, 4, 5) and a mask of counted words."""
    predicted_BTW = torch.randn(3, 4, 5, dtype=dtype, requires_grad=True)
    counted_BT = torch.tensor([[1, 1, 0, 1], [1, 0, 0, 0], [0, 1, 1, 1]], dtype=torch.bool)
    return predicted_BTW, torch.randn(3, 4, 5, dtype=dtype), counted_BT


def gradient(predicted: Tensor, target: Tensor, counted: Tensor, kind: Loss) -> Tensor:
    loss = reconstruction_loss(predicted, target, counted, kind)
    return torch.autograd.grad(loss, predicted)[0]


def test_one_mismatched_word_by_hand() -> None:
    predicted_BTW = torch.tensor([[[1.0, 2.0], [9.0, 9.0]], [[9.0, 9.0], [9.0, 9.0]]])
    target_BTW = torch.tensor([[[4.0, -2.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    counted_BT = torch.tensor([[True, False], [False, False]])
    # 1/2 (3^2 + 4^2) = 12.5, shared among 2 sentences
    assert float(reconstruction_loss(predicted_BTW, target_BTW, counted_BT, "squared")) == 6.25


def test_one_cosine_by_hand() -> None:
    predicted_BTW = torch.tensor([[[3.0, 4.0], [1.0, 0.0]]])
    target_BTW = torch.tensor([[[10.0, 0.0], [-5.0, 0.0]]])
    everything = torch.ones(1, 2, dtype=torch.bool)
    loss = reconstruction_loss(predicted_BTW, target_BTW, everything, "cosine")
    # 1 - 0.6 and 1 - (-1), one sentence
    assert float(loss) == pytest.approx(0.4 + 2.0)


@pytest.mark.parametrize("kind", LOSSES)
def test_loss_is_a_sum_over_words_divided_by_sentences_only(kind: Loss) -> None:
    predicted_BTW, target_BTW, counted_BT = sentences()
    loss = reconstruction_loss(predicted_BTW, target_BTW, counted_BT, kind)
    everything = predicted_BTW, target_BTW, counted_BT
    longer = [torch.cat([x, x], dim=1) for x in everything]
    torch.testing.assert_close(
        reconstruction_loss(longer[0], longer[1], longer[2], kind), 2 * loss
    )
    more = [torch.cat([x, x], dim=0) for x in everything]
    torch.testing.assert_close(reconstruction_loss(more[0], more[1], more[2], kind), loss)


def test_squared_loss_is_not_divided_by_dimensions() -> None:
    predicted_BTW, target_BTW, counted_BT = sentences()
    loss = reconstruction_loss(predicted_BTW, target_BTW, counted_BT, "squared")
    wide, wide_target = (torch.cat([x, x], dim=2) for x in (predicted_BTW, target_BTW))
    twice = reconstruction_loss(wide, wide_target, counted_BT, "squared")
    torch.testing.assert_close(twice, 2 * loss)


@pytest.mark.parametrize("kind", LOSSES)
def test_no_gradient_at_matched_words(kind: Loss) -> None:
    predicted_BTW, target_BTW, counted_BT = sentences()
    dropped_BTW = gradient(predicted_BTW, target_BTW, counted_BT, kind)
    plain_BTW = gradient(predicted_BTW, target_BTW, torch.ones_like(counted_BT), kind)
    assert (dropped_BTW[~counted_BT] == 0).all()
    assert torch.equal(dropped_BTW[counted_BT], plain_BTW[counted_BT])
    assert (plain_BTW != 0).all()


def test_squared_gradient_is_the_difference_over_the_sentences() -> None:
    predicted_BTW, target_BTW, counted_BT = sentences()
    wanted_BTW = (predicted_BTW.detach() - target_BTW) * counted_BT[..., None] / 3
    torch.testing.assert_close(
        gradient(predicted_BTW, target_BTW, counted_BT, "squared"), wanted_BTW
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 0.0])
@pytest.mark.parametrize("kind", LOSSES)
def test_values_at_words_that_do_not_count_never_matter(kind: Loss, value: float) -> None:
    predicted_BTW, target_BTW, counted_BT = sentences()
    wanted = reconstruction_loss(predicted_BTW, target_BTW, counted_BT, kind)
    wanted_BTW = gradient(predicted_BTW, target_BTW, counted_BT, kind)
    damaged_BTW = predicted_BTW.detach().clone()
    damaged_BTW[~counted_BT] = value
    target_BTW[~counted_BT] = value
    damaged_BTW.requires_grad_()
    assert torch.equal(reconstruction_loss(damaged_BTW, target_BTW, counted_BT, kind), wanted)
    assert torch.equal(gradient(damaged_BTW, target_BTW, counted_BT, kind), wanted_BTW)


@pytest.mark.parametrize("kind", LOSSES)
def test_a_nan_prediction_that_counts_shows_in_the_loss(kind: Loss) -> None:
    predicted_BTW, target_BTW, counted_BT = sentences()
    with torch.no_grad():
        predicted_BTW[0, 0, 0] = torch.nan
    assert reconstruction_loss(predicted_BTW, target_BTW, counted_BT, kind).isnan()


@pytest.mark.parametrize("kind", LOSSES)
def test_a_batch_of_matched_words_only_has_no_loss_and_no_gradient(kind: Loss) -> None:
    predicted_BTW, target_BTW, counted_BT = sentences()
    nothing = torch.zeros_like(counted_BT)
    assert reconstruction_loss(predicted_BTW, target_BTW, nothing, kind).item() == 0
    assert (gradient(predicted_BTW, target_BTW, nothing, kind) == 0).all()


@pytest.mark.parametrize("kind", LOSSES)
def test_half_precision_targets_do_not_lower_the_precision(kind: Loss) -> None:
    predicted_BTW, target_BTW, counted_BT = sentences(torch.float32)
    stored_BTW = target_BTW.half()
    loss = reconstruction_loss(predicted_BTW, stored_BTW, counted_BT, kind)
    assert loss.dtype == torch.float32
    wanted = reconstruction_loss(predicted_BTW, stored_BTW.float(), counted_BT, kind)
    assert torch.equal(loss, wanted)


@pytest.mark.parametrize("kind", LOSSES)
def test_loss_gradcheck(kind: Loss) -> None:
    predicted_BTW, target_BTW, counted_BT = sentences()
    assert torch.autograd.gradcheck(
        lambda y: reconstruction_loss(y, target_BTW, counted_BT, kind), predicted_BTW
    )


def test_match_drop_one_drops_every_match_and_zero_none() -> None:
    matched_BT = torch.rand(6, 7) < 0.5
    assert torch.equal(match_drop_mask(matched_BT, 1.0), matched_BT)
    assert not match_drop_mask(matched_BT, 0.0).any()


@pytest.mark.parametrize("match_drop", [0.5, 0.9])
def test_match_drop_between_drops_that_share_of_the_matches(match_drop: float) -> None:
    matched_BT = torch.rand(100, 100) < 0.5
    dropped_BT = match_drop_mask(matched_BT, match_drop)
    assert not (dropped_BT & ~matched_BT).any()
    # about 5,000 draws: 0.04 is more than five standard deviations
    assert float(dropped_BT[matched_BT].float().mean()) == pytest.approx(match_drop, abs=0.04)
    assert not torch.equal(match_drop_mask(matched_BT, match_drop), dropped_BT)
