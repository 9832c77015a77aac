from typing import get_args

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.losses import Loss, match_drop_mask, reconstruction_loss

NUM_SENTENCES = 3

LOSSES = get_args(Loss)


def sentences(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Predicted and target vectors (12, 5) of three sentences and a mask of counted words."""
    predicted_NW = torch.randn(12, 5, dtype=dtype, requires_grad=True)
    counted_N = torch.tensor([1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1], dtype=torch.bool)
    return predicted_NW, torch.randn(12, 5, dtype=dtype), counted_N


def loss_of(predicted: Tensor, target: Tensor, counted: Tensor, kind: Loss) -> Tensor:
    return reconstruction_loss(predicted, target, counted, NUM_SENTENCES, kind)


def gradient(predicted: Tensor, target: Tensor, counted: Tensor, kind: Loss) -> Tensor:
    loss = loss_of(predicted, target, counted, kind)
    return torch.autograd.grad(loss, predicted)[0]


def test_one_mismatched_word_by_hand() -> None:
    predicted_NW = torch.tensor([[1.0, 2.0], [9.0, 9.0], [9.0, 9.0]])
    target_NW = torch.tensor([[4.0, -2.0], [0.0, 0.0], [0.0, 0.0]])
    counted_N = torch.tensor([True, False, False])
    # 1/2 (3^2 + 4^2) = 12.5, shared among 2 sentences
    assert float(reconstruction_loss(predicted_NW, target_NW, counted_N, 2, "squared")) == 6.25


def test_one_cosine_by_hand() -> None:
    predicted_NW = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    target_NW = torch.tensor([[10.0, 0.0], [-5.0, 0.0]])
    everything = torch.ones(2, dtype=torch.bool)
    loss = reconstruction_loss(predicted_NW, target_NW, everything, 1, "cosine")
    # 1 - 0.6 and 1 - (-1), one sentence
    assert float(loss) == pytest.approx(0.4 + 2.0)


@pytest.mark.parametrize("kind", LOSSES)
def test_loss_is_a_sum_over_words_divided_by_sentences_only(kind: Loss) -> None:
    words = sentences()
    loss = loss_of(*words, kind)
    twice = [torch.cat([x, x]) for x in words]
    torch.testing.assert_close(
        reconstruction_loss(twice[0], twice[1], twice[2], NUM_SENTENCES, kind), 2 * loss
    )
    torch.testing.assert_close(
        reconstruction_loss(twice[0], twice[1], twice[2], 2 * NUM_SENTENCES, kind), loss
    )


def test_squared_loss_is_not_divided_by_dimensions() -> None:
    predicted_NW, target_NW, counted_N = sentences()
    loss = loss_of(predicted_NW, target_NW, counted_N, "squared")
    wide, wide_target = (torch.cat([x, x], dim=1) for x in (predicted_NW, target_NW))
    twice = loss_of(wide, wide_target, counted_N, "squared")
    torch.testing.assert_close(twice, 2 * loss)


@pytest.mark.parametrize("kind", LOSSES)
def test_no_gradient_at_matched_words(kind: Loss) -> None:
    predicted_NW, target_NW, counted_N = sentences()
    dropped_NW = gradient(predicted_NW, target_NW, counted_N, kind)
    plain_NW = gradient(predicted_NW, target_NW, torch.ones_like(counted_N), kind)
    assert (dropped_NW[~counted_N] == 0).all()
    assert torch.equal(dropped_NW[counted_N], plain_NW[counted_N])
    assert (plain_NW != 0).all()


def test_squared_gradient_is_the_difference_over_the_sentences() -> None:
    predicted_NW, target_NW, counted_N = sentences()
    wanted_NW = (predicted_NW.detach() - target_NW) * counted_N[:, None] / 3
    torch.testing.assert_close(gradient(predicted_NW, target_NW, counted_N, "squared"), wanted_NW)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 0.0])
@pytest.mark.parametrize("kind", LOSSES)
def test_values_at_words_that_do_not_count_never_matter(kind: Loss, value: float) -> None:
    predicted_NW, target_NW, counted_N = sentences()
    wanted = loss_of(predicted_NW, target_NW, counted_N, kind)
    wanted_NW = gradient(predicted_NW, target_NW, counted_N, kind)
    damaged_NW = predicted_NW.detach().clone()
    damaged_NW[~counted_N] = value
    target_NW[~counted_N] = value
    damaged_NW.requires_grad_()
    assert torch.equal(loss_of(damaged_NW, target_NW, counted_N, kind), wanted)
    assert torch.equal(gradient(damaged_NW, target_NW, counted_N, kind), wanted_NW)


@pytest.mark.parametrize("kind", LOSSES)
def test_a_nan_prediction_that_counts_shows_in_the_loss(kind: Loss) -> None:
    predicted_NW, target_NW, counted_N = sentences()
    with torch.no_grad():
        predicted_NW[0, 0] = torch.nan
    assert loss_of(predicted_NW, target_NW, counted_N, kind).isnan()


@pytest.mark.parametrize("kind", LOSSES)
def test_a_batch_of_matched_words_only_has_no_loss_and_no_gradient(kind: Loss) -> None:
    predicted_NW, target_NW, counted_N = sentences()
    nothing = torch.zeros_like(counted_N)
    assert loss_of(predicted_NW, target_NW, nothing, kind).item() == 0
    assert (gradient(predicted_NW, target_NW, nothing, kind) == 0).all()


@pytest.mark.parametrize("kind", LOSSES)
def test_half_precision_targets_do_not_lower_the_precision(kind: Loss) -> None:
    predicted_NW, target_NW, counted_N = sentences(torch.float32)
    stored_NW = target_NW.half()
    loss = loss_of(predicted_NW, stored_NW, counted_N, kind)
    assert loss.dtype == torch.float32
    wanted = loss_of(predicted_NW, stored_NW.float(), counted_N, kind)
    assert torch.equal(loss, wanted)


@pytest.mark.parametrize("kind", LOSSES)
def test_loss_gradcheck(kind: Loss) -> None:
    predicted_NW, target_NW, counted_N = sentences()
    assert torch.autograd.gradcheck(lambda y: loss_of(y, target_NW, counted_N, kind), predicted_NW)


def test_match_drop_one_drops_every_match_and_zero_none() -> None:
    matched_N = torch.rand(6, 7) < 0.5
    assert torch.equal(match_drop_mask(matched_N, 1.0), matched_N)
    assert not match_drop_mask(matched_N, 0.0).any()


@pytest.mark.parametrize("match_drop", [0.5, 0.9])
def test_match_drop_between_drops_that_share_of_the_matches(match_drop: float) -> None:
    matched_N = torch.rand(100, 100) < 0.5
    dropped_N = match_drop_mask(matched_N, match_drop)
    assert not (dropped_N & ~matched_N).any()
    # about 5,000 draws: 0.04 is more than five standard deviations
    assert float(dropped_N[matched_N].float().mean()) == pytest.approx(match_drop, abs=0.04)
    assert not torch.equal(match_drop_mask(matched_N, match_drop), dropped_N)
