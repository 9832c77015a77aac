"""A bound on the cosines of whole blocks of words from their leading dimensions alone.

Trained word vectors spend most of their energy in few principal axes, rare words above all. So:
rotate the words to these axes, order them by how many leading dimensions leave a tail of norm
<= TAIL_NORM, and cut them into blocks. Words that need most dimensions come first, in dictionary
order, and are not filtered: they are the frequent ones, and beat most of the predictions that
are ever beaten. The others meet two bounds. The ball around a block's mean m holds for all its
words at once,

    o.w <= o.m + |w - m|

and where it leaves a block open to a prediction, the block is scored in only the dimensions its
words need.

With o, w the rotated unit vectors of prediction and word, head and tail the dimensions read and
not read, and o', w' the heads rounded to 8-bit integers times a step,

    o.w - o'.w' = (o_head - o').w' + o_head.(w_head - w') + o_tail.w_tail
    |o.w - o'.w'| <= |o_head - o'| |w'| + |o_head| |w_head - w'| + |o_tail| |w_tail| + slack

The norms are measured. The slack covers float32 in the rotation Q: each rotated vector is off by
at most gamma |Q|_F <= gamma sqrt(W), with gamma = W 2^-24 to first order; and Q is orthogonal up
to a measured defect. A dictionary without such axes gets no filter.

Shapes: R predictions in play, W word_dim, K W padded to whole groups, G groups of dimensions,
U directions, B filtered blocks, C words of a block, D dimensions read.
"""

import torch
from torch import Tensor

from rrnn_lit.words.directions import PAIRS_AT_ONCE, Directions
from rrnn_lit.words.integers import IntegerProduct, round_to_int8
from rrnn_lit.words.scan import full_precision, hide, num_blocks

TAIL_NORM = 0.3
_GROUP_DIMS = 32
_SAMPLE_WORDS = 16_384
# reading more than this share of the dimensions saves less than it costs
_WORTHWHILE_SHARE = 0.8
# enough words to beat most of what is beaten, and the fewest blocks that repay the rotation
_FIRST_BLOCKS = 1
_FEWEST_BLOCKS = 4


class LeadingDims:
    """A filter in the sense of `scan.Filter`, and the order of the words it needs.

    Attributes:
        order_U: place in `Directions.word_ids_U` of each position of the scan.
        first: the first block it filters.
    """

    def __init__(
        self, directions: Directions, block_words: int, rotation_WK: Tensor, groups_U: Tensor
    ) -> None:
        self._block_words = block_words
        self.order_U = torch.argsort(groups_U, descending=True, stable=True)
        num_words, word_dim = len(groups_U), len(rotation_WK)
        num_hard = int((groups_U > _most_groups(rotation_WK)).sum())
        self.first = max(_FIRST_BLOCKS, num_blocks(num_hard, block_words))
        self._rotation_WK = rotation_WK
        exact_WK = rotation_WK.double()
        defect = torch.linalg.matrix_norm(exact_WK @ exact_WK.T - torch.eye(word_dim))
        self._slack = 2.2 * word_dim**1.5 * 2.0**-24 + float(defect) + 1e-5
        self._product = IntegerProduct()
        self._heads: list[Tensor] = []
        centres, radii, norms = [], [], []
        for block in range(self.first, num_blocks(num_words, block_words)):
            places = self.order_U[block * block_words : (block + 1) * block_words]
            unit_CW = directions.unit(directions.word_ids_U[places])
            centre_W = unit_CW.mean(dim=0)
            centres.append(centre_W.float())
            radii.append(float((unit_CW - centres[-1].double()).norm(dim=1).max()))
            norms.append(self._store(_rotate(unit_CW, rotation_WK), int(groups_U[places].max())))
        self._groups_B = torch.tensor([head_CD.shape[1] // _GROUP_DIMS for head_CD in self._heads])
        self._centres_BW = torch.stack(centres)
        self._radius_B1 = torch.tensor(radii)[:, None] + self._slack
        self._norms_B4 = torch.tensor(norms, dtype=torch.float64)

    @classmethod
    def of(cls, directions: Directions, block_words: int) -> "LeadingDims | None":
        """Return the filter of a dictionary, None where it would not pay."""
        fewest_words = _FEWEST_BLOCKS * block_words
        if len(directions.word_ids_U) <= _FIRST_BLOCKS * block_words + fewest_words:
            return None
        rotation_WK = _principal_axes(directions)
        most = _most_groups(rotation_WK)
        groups_U = torch.cat(
            [
                (_tail_norms(_rotate(directions.unit(ids_C), rotation_WK)) > TAIL_NORM).sum(dim=1)
                for ids_C in directions.word_ids_U.split(PAIRS_AT_ONCE)
            ]
        ).clamp(1, most + 1)
        if int((groups_U <= most).sum()) < fewest_words:
            return None
        return cls(directions, block_words, rotation_WK, groups_U)

    def _store(self, rotated_CK: Tensor, groups: int) -> tuple[float, float, float, float]:
        """Store a block; return its step and its largest |w'|, |w_head - w'| and |w_tail|."""
        head_CD = rotated_CK[:, : groups * _GROUP_DIMS]
        rounded_CD, step, error_CD = round_to_int8(head_CD, head_CD.abs().max())
        self._heads.append(rounded_CD.to(torch.int8))
        tail_CT = rotated_CK[:, groups * _GROUP_DIMS :]
        norms = (rounded_CD * step, error_CD, tail_CT)
        size, error, tail = (float(x.norm(dim=1).max()) for x in norms)
        return float(step), size, error, tail

    def open_blocks(
        self, unit_RW: Tensor, limit_R: Tensor, own_R: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return surely beaten predictions (R,) and the blocks that may beat the others (R, B)."""
        open_BR = self._bound_by_balls(unit_RW) >= limit_R
        rotated_RK = _rotate(unit_RW, self._rotation_WK)
        rounded_RK, step_R1, error_RK = round_to_int8(
            rotated_RK, rotated_RK.abs().amax(dim=1, keepdim=True)
        )
        step_B, size_B, error_B, tail_B = self._norms_B4.unbind(dim=1)
        band_RB = (
            _head_norms(error_RK)[:, self._groups_B] * size_B
            + _head_norms(rotated_RK)[:, self._groups_B] * error_B
            + _tail_norms(rotated_RK)[:, self._groups_B] * tail_B
            + self._slack
        )
        largest_BR = self._largest(rounded_RK.to(torch.int8), own_R, open_BR)
        cosine_RB = largest_BR.T * (step_R1.double() * step_B)
        beaten_R = (cosine_RB - band_RB > limit_R[:, None]).any(dim=1)
        return beaten_R, cosine_RB + band_RB >= limit_R[:, None]

    def _bound_by_balls(self, unit_RW: Tensor) -> Tensor:
        """Return what no cosine with a word of a block exceeds, (B, R)."""
        with full_precision(unit_RW.device):
            bound_BR: Tensor = self._centres_BW @ unit_RW.float().T + self._radius_B1
        return bound_BR

    def _largest(self, query_RK: Tensor, own_R: Tensor, open_BR: Tensor) -> Tensor:
        """Return the largest score of each open block without the own words, float64 (B, R)."""
        largest_BR = torch.full(open_BR.shape, -torch.inf, dtype=torch.float64)
        for block, head_CD in enumerate(self._heads):
            rows = open_BR[block].nonzero().squeeze(1)
            if not len(rows):
                continue
            scores_1RC = self._product(query_RK[rows, : head_CD.shape[1]], head_CD[None])
            hide(
                scores_1RC.transpose(0, 1), own_R[rows] - (self.first + block) * self._block_words
            )
            largest_BR[block, rows] = scores_1RC[0].amax(dim=1).double()
        return largest_BR


def _most_groups(rotation_WK: Tensor) -> int:
    return int(_WORTHWHILE_SHARE * len(rotation_WK) / _GROUP_DIMS)


def _rotate(unit_NW: Tensor, rotation_WK: Tensor) -> Tensor:
    with full_precision(unit_NW.device):
        rotated_NK: Tensor = unit_NW.float() @ rotation_WK
    return rotated_NK


def _principal_axes(directions: Directions) -> Tensor:
    """Return the principal axes of a sample of the words as columns (W, K), padded with zeros.

    The axes of the first group are mixed: most words share one axis, whose single large component
    would coarsen the step of all.
    """
    ids_U = directions.word_ids_U
    sample = ids_U[:: max(1, len(ids_U) // _SAMPLE_WORDS)]
    word_dim = directions.vectors_VW.shape[1]
    moments_WW = torch.zeros(word_dim, word_dim, dtype=torch.float64)
    for unit_CW in map(directions.unit, sample.split(PAIRS_AT_ONCE)):
        moments_WW += unit_CW.T @ unit_CW
    axes_WW = torch.linalg.eigh(moments_WW).eigenvectors.flip(1)
    mixed = min(_GROUP_DIMS, word_dim)
    noise = torch.randn(mixed, mixed, generator=torch.Generator().manual_seed(0)).double()
    axes_WW[:, :mixed] = axes_WW[:, :mixed] @ torch.linalg.qr(noise).Q
    padding = torch.zeros(word_dim, -word_dim % _GROUP_DIMS)
    return torch.cat([axes_WW.float(), padding], dim=1)


def _group_squares(rows_NK: Tensor) -> Tensor:
    squares_NK = rows_NK.square()
    groups = squares_NK.shape[1] // _GROUP_DIMS  # given, since there may be no row
    return squares_NK.view(len(rows_NK), groups, _GROUP_DIMS).sum(dim=2).double()


def _head_norms(rows_NK: Tensor) -> Tensor:
    """Return the norm of the first g groups of dimensions in column g of (N, G + 1)."""
    return torch.nn.functional.pad(_group_squares(rows_NK).cumsum(dim=1), (1, 0)).sqrt()


def _tail_norms(rows_NK: Tensor) -> Tensor:
    """Return the norm of all but the first g groups of dimensions in column g of (N, G + 1)."""
    squares_NG = _group_squares(rows_NK)
    return torch.nn.functional.pad(squares_NG.flip(1).cumsum(dim=1).flip(1), (0, 1)).sqrt()
