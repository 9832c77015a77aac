"""The filter never rules out a block that beats, and rules out most blocks that do not."""

import pytest
import torch
from torch import Tensor

from rrnn_lit.words.directions import Directions, unit_rows
from rrnn_lit.words.integers import int8_is_exact
from rrnn_lit.words.leading_dims import TAIL_NORM, LeadingDims
from rrnn_lit.words.nearest import NearestWords
from tests.words.match_cases import randn

pytestmark = pytest.mark.skipif(not int8_is_exact(), reason="needs a CPU with VNNI")

BLOCK_WORDS = 32
WORD_DIM = 100


def concentrated() -> Tensor:
    """96 words in all directions, 200 mostly in 40 axes, 300 nearly on one axis; shuffled."""
    axes = torch.linalg.qr(randn(WORD_DIM, WORD_DIM)).Q
    everywhere = randn(96, WORD_DIM)
    in_few = randn(200, 40) @ axes[:40] + 0.02 * randn(200, WORD_DIM)
    on_one = 6 * axes[:1] + 0.1 * randn(300, WORD_DIM)
    return torch.cat([everywhere, in_few, on_one])[torch.randperm(596)]


def make() -> tuple[Directions, LeadingDims]:
    directions = Directions(concentrated())
    leading_dims = LeadingDims.of(directions, BLOCK_WORDS)
    assert leading_dims is not None
    return directions, leading_dims


@pytest.mark.parametrize("noise", [0.6, 1.0, 3.0])
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_no_beating_block_is_ruled_out_and_no_unbeaten_row_called_beaten(
    margin: float, noise: float
) -> None:
    directions, leading_dims = make()
    unit_VW = directions.unit(directions.word_ids_U[leading_dims.order_U])
    size_V1 = WORD_DIM**-0.5
    unit_RW = unit_rows(unit_VW + noise * size_V1 * randn(*unit_VW.shape))[0]
    own_R = torch.arange(len(unit_VW))
    cosine_RU = unit_RW @ unit_VW.T
    limit_R = cosine_RU.diagonal() - margin
    beaten_R, open_RB = leading_dims.open_blocks(unit_RW, limit_R, own_R)
    cosine_RU = cosine_RU.masked_fill(torch.eye(len(unit_VW), dtype=torch.bool), -2)
    beats_RU = cosine_RU[:, leading_dims.first * BLOCK_WORDS :] > limit_R[:, None]
    blocks = beats_RU.split(BLOCK_WORDS, dim=1)
    beats_RB = torch.stack([block_RC.any(dim=1) for block_RC in blocks], dim=1)
    assert not (beaten_R & ~beats_RB.any(dim=1)).any()
    assert not (beats_RB & ~open_RB & ~beaten_R[:, None]).any()
    assert beats_RB.any()


def test_a_rival_hidden_by_rounding_alone_stays_open() -> None:
    # words of 60 dimensions leave no tail behind 64: only the rounding of both sides is left
    directions = Directions(randn(600, 60) @ torch.linalg.qr(randn(WORD_DIM, WORD_DIM)).Q[:60])
    leading_dims = LeadingDims.of(directions, BLOCK_WORDS)
    assert leading_dims is not None
    unit_VW = directions.unit(directions.word_ids_U[leading_dims.order_U])
    own_R, rival_R = torch.randperm(600)[:400].split(200)
    # in the middle between two words, a hair on the side of the rival
    unit_RW = unit_rows(unit_VW[own_R] + (1 + 1e-9) * unit_VW[rival_R])[0]
    limit_R = torch.linalg.vecdot(unit_RW, unit_VW[own_R])
    beaten_R, open_RB = leading_dims.open_blocks(unit_RW, limit_R, own_R)
    block_R = rival_R // BLOCK_WORDS - leading_dims.first
    filtered = (block_R >= 0).nonzero().squeeze(1)
    assert len(filtered) > 150
    assert (beaten_R[filtered] | open_RB[filtered, block_R[filtered]]).all()


def test_matched_rows_leave_few_blocks_open() -> None:
    directions, leading_dims = make()
    unit_VW = directions.unit(directions.word_ids_U[leading_dims.order_U])
    # the words that need most dimensions come first: targets of a trained network's sure words
    unit_RW = unit_rows(unit_VW[:96] + 0.05 * randn(96, WORD_DIM))[0]
    limit_R = torch.linalg.vecdot(unit_RW, unit_VW[:96])
    beaten_R, open_RB = leading_dims.open_blocks(unit_RW, limit_R, torch.arange(96))
    assert not beaten_R.any()
    assert open_RB.double().mean() < 0.1


def test_words_of_most_dimensions_come_first_in_dictionary_order() -> None:
    directions, leading_dims = make()
    unit_VW = directions.unit(torch.arange(596))
    # at most 0.8 of 100 dimensions, two groups of 32, are worth reading
    tail_axes = torch.linalg.eigh(unit_VW.T @ unit_VW).eigenvectors[:, :-64]
    hard = ((unit_VW @ tail_axes).norm(dim=1) > TAIL_NORM).nonzero().squeeze(1)
    assert len(hard) > 80
    assert torch.equal(leading_dims.order_U[: len(hard)], hard)
    assert (leading_dims.first - 1) * BLOCK_WORDS < len(hard) <= leading_dims.first * BLOCK_WORDS


def test_a_dictionary_without_axes_or_with_few_words_gets_no_filter() -> None:
    assert LeadingDims.of(Directions(randn(1_000, WORD_DIM)), BLOCK_WORDS) is None
    assert LeadingDims.of(Directions(concentrated()), block_words=1_000) is None


@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_filtered_scan_equals_scan_of_all_blocks(margin: float) -> None:
    words_VW = concentrated()
    targets_N = torch.randint(len(words_VW), (300,))
    size_N1 = words_VW[targets_N].norm(dim=1, keepdim=True) * WORD_DIM**-0.5
    predicted_NW = words_VW[targets_N] + 0.7 * size_N1 * randn(300, WORD_DIM)
    filtered = NearestWords(words_VW, torch.int8, BLOCK_WORDS)
    wanted_N = NearestWords(words_VW, torch.float64).is_nearest(predicted_NW, targets_N, margin)
    assert torch.equal(filtered.is_nearest(predicted_NW, targets_N, margin), wanted_N)
    assert wanted_N.any()
    assert not wanted_N.all()
