"""Scan of all words in low precision; what rounding could decide wrongly goes to float64.

A scan promises |unit * score - cosine| <= band for every score, with `unit` and `band` known per
prediction and block of words. A word surely beats a prediction's limit when its score exceeds
(limit + band) / unit, and surely does not when it is below (limit - band) / unit. Pairs between
the two are computed in float64, so an answer cannot depend on the scan.

Where words crowd together so closely that too many of them are inside a prediction's band, a finer
scan decides that prediction from the start.

Predictions that are beaten leave the scan. A scan may bring a filter that rules out most blocks
for most predictions at once; the rest of them are scanned.

The scores of one block, or of few predictions in several blocks, are the largest array in memory.

Shapes: N predictions, R predictions in play, K scan width, U directions in the order of the scan,
B blocks, C words of a block, M words of consecutive blocks, Q rows' blocks, P pairs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from rrnn_lit.words.directions import TOLERANCE, Directions

# beaten predictions leave the scan together, once they are one in so many
_LEAVE_SHARE = 8
# scanning so many rows of a block costs as much as starting one more scan
_ROWS_OF_A_START = 32
_WIDE_SHARE = 0.25
# more words than this inside the band, per prediction, are a crowd
_CROWD = 4
_MOST_PAIRS = 65_536
# pairs of one prediction in one scan of blocks beyond which a finer scan is cheaper
_MOST_OF_A_ROW = 32
# as many scores at once as a block of 2,048 predictions has
_MOST_ROW_BLOCKS = 2_048


@dataclass(frozen=True)
class Queries:
    """Predictions in the precision of a scan: |unit_NB * score - cosine| <= band_NB."""

    query_NK: Tensor
    unit_NB: Tensor
    band_NB: Tensor


class Filter(Protocol):
    """A cheap bound on the cosines of whole blocks, from block `first` to the last."""

    first: int

    def open_blocks(
        self, unit_RW: Tensor, limit_R: Tensor, own_R: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return surely beaten predictions (R,) and the blocks that may beat the others (R, B)."""
        ...


class Scan(Protocol):
    """All directions in low precision, in an order of the scan's own.

    Attributes:
        block_words: words of a block.
        order_U: place in `Directions.word_ids_U` of each position of the scan.
        position_U: the inverse.
    """

    block_words: int
    order_U: Tensor
    position_U: Tensor

    @property
    def filter(self) -> Filter | None:
        """What rules out blocks behind the first ones; None scans them all."""
        ...

    @property
    def fine(self) -> "Scan | None":
        """The same words with a narrower band, slower; None where there is none."""
        ...

    def queries(self, unit_NW: Tensor) -> Queries:
        """Return float64 predictions of norm 1, or 0, ready to be scored."""
        ...

    def scores(self, query_RK: Tensor, first: int, stop: int) -> Tensor:
        """Return scores (R, B, C) of whole blocks, valid until the next call.

        Places behind the last word have the lowest score. The caller may change the scores.
        """
        ...


def num_blocks(num_words: int, block_words: int) -> int:
    """Return how many blocks hold so many words."""
    return -(-num_words // block_words)


def beaten_rows(
    scan: Scan, directions: Directions, unit_NW: Tensor, limit_N: Tensor, target_place_N: Tensor
) -> Tensor:
    """Return which predictions a word other than the target beats, bool (N,).

    Args:
        scan: any scan of `directions`; it cannot change an answer.
        directions: the words.
        unit_NW: predictions of norm 1, float64.
        limit_N: the cosine another word must exceed by more than the tolerance, float64.
        target_place_N: place of each target in `directions.word_ids_U`.
    """
    own_N = scan.position_U[target_place_N]
    search = _Search(scan, directions, unit_NW, limit_N, own_N)
    total = num_blocks(len(scan.order_U), scan.block_words)
    rows_R = torch.arange(len(unit_NW), device=unit_NW.device)
    query_RK = search.queries.query_NK
    for block in range(total if scan.filter is None else scan.filter.first):
        search.scan_blocks(rows_R, query_RK, block, block + 1)
        left_R = ~search.beaten_N[rows_R]
        num_left = int(left_R.sum())
        if num_left == 0:
            return search.beaten_N
        if (len(rows_R) - num_left) * _LEAVE_SHARE >= len(rows_R):
            rows_R = rows_R[left_R]
            query_RK = query_RK[left_R]
    search.decide_pairs()
    if scan.filter is not None:
        rows_R = rows_R[~search.beaten_N[rows_R]]
        search.scan_open_blocks(scan.filter, rows_R)
        search.decide_pairs()
    rows = (search.crowded_N & ~search.beaten_N).nonzero().squeeze(1)
    if scan.fine is not None and len(rows):
        search.beaten_N[rows] = beaten_rows(
            scan.fine, directions, unit_NW[rows], limit_N[rows], target_place_N[rows]
        )
    return search.beaten_N


class _Search:
    """What is known of the predictions of one call."""

    def __init__(
        self, scan: Scan, directions: Directions, unit_NW: Tensor, limit_N: Tensor, own_N: Tensor
    ) -> None:
        self.scan = scan
        self.directions = directions
        self.unit_NW = unit_NW
        self.limit_N = limit_N
        self.own_N = own_N
        self.queries = scan.queries(unit_NW)
        band_NB, size_NB = self.queries.band_NB, self.queries.unit_NB
        is_integer = self.queries.query_NK.dtype == torch.int8
        # integers: s >= x is s >= ceil(x), s > x is s > floor(x)
        self.low_NB = _as_scores((limit_N[:, None] - band_NB) / size_NB, is_integer, True)
        self.high_NB = _as_scores((limit_N[:, None] + band_NB) / size_NB, is_integer, False)
        self.beaten_N = torch.zeros(len(unit_NW), dtype=torch.bool, device=unit_NW.device)
        self.crowded_N = torch.zeros_like(self.beaten_N)
        self._rows = [own_N[:0]]
        self._positions = [own_N[:0]]

    def scan_open_blocks(self, block_filter: Filter, rows_R: Tensor) -> None:
        """Scan the blocks that the filter leaves open."""
        beaten_R, open_RB = block_filter.open_blocks(
            self.unit_NW[rows_R], self.limit_N[rows_R], self.own_N[rows_R]
        )
        self.beaten_N[rows_R[beaten_R]] = True
        offset = block_filter.first
        for wanted_RB in _wide_and_narrow(open_RB & ~beaten_R[:, None]):
            for first, stop in _merged(wanted_RB):
                rows = rows_R[wanted_RB[:, first:stop].any(dim=1)]
                rows = rows[~self.beaten_N[rows]]
                query_RK = self.queries.query_NK[rows]
                self.scan_blocks(rows, query_RK, offset + first, offset + stop)

    def scan_blocks(self, rows_R: Tensor, query_RK: Tensor, first: int, stop: int) -> None:
        """Decide whether words of consecutive blocks beat some of the predictions."""
        scores_RBC = self.scan.scores(query_RK, first, stop)
        hide(scores_RBC, self.own_N[rows_R] - first * self.scan.block_words)
        largest_RB = scores_RBC.amax(dim=2)
        low_RB, high_RB = self.low_NB[rows_R, first:stop], self.high_NB[rows_R, first:stop]
        self.beaten_N[rows_R[(largest_RB > high_RB).any(dim=1)]] = True
        close_RB = (largest_RB >= low_RB) & ~self.beaten_N[rows_R, None]
        close = close_RB.any(dim=1).nonzero().squeeze(1)
        if not len(close):
            return
        rows, blocks, column = _near_words(scores_RBC, low_RB, close_RB)
        if len(rows) > _CROWD * len(close):
            # so many words inside the band mostly mean that the first beats: ask it alone
            block = (largest_RB[close].double() - low_RB[close]).argmax(dim=1)
            first_column = scores_RBC[close, block].argmax(dim=1)
            self._decide(rows_R[close], (first + block) * self.scan.block_words + first_column)
        if self.scan.fine is not None:
            crowded_R = torch.bincount(rows, minlength=len(rows_R)) > _MOST_OF_A_ROW
            self.crowded_N[rows_R[crowded_R]] = True
            left = ~crowded_R[rows]
            rows, blocks, column = rows[left], blocks[left], column[left]
        self._rows.append(rows_R[rows])
        self._positions.append((first + blocks) * self.scan.block_words + column)
        if sum(map(len, self._rows)) > _MOST_PAIRS:
            self.decide_pairs()

    def decide_pairs(self) -> None:
        """Decide the pairs found so far whose prediction is not yet beaten."""
        rows_P, positions_P = torch.cat(self._rows), torch.cat(self._positions)
        self._rows, self._positions = [rows_P[:0]], [positions_P[:0]]
        open_P = ~self.beaten_N[rows_P]
        self._decide(rows_P[open_P], positions_P[open_P])

    def _decide(self, rows_P: Tensor, positions_P: Tensor) -> None:
        """Decide pairs in float64."""
        word_ids_P = self.directions.word_ids_U[self.scan.order_U[positions_P]]
        cosine_P = self.directions.cosines(self.unit_NW, rows_P, word_ids_P)
        self.beaten_N[rows_P[cosine_P > self.limit_N[rows_P] + TOLERANCE]] = True


def _near_words(
    scores_RBC: Tensor, low_RB: Tensor, close_RB: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return row, block and column of every word inside the band, looking at close blocks only."""
    rows, blocks = close_RB.nonzero(as_tuple=True)
    near_QC = scores_RBC[rows, blocks] >= low_RB[rows, blocks, None]
    place, column = near_QC.nonzero(as_tuple=True)
    return rows[place], blocks[place], column


def _wide_and_narrow(open_RB: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows with many open blocks, and the others: each share blocks with their like."""
    wide_R1 = open_RB.sum(dim=1, keepdim=True) > open_RB.shape[1] * _WIDE_SHARE
    return open_RB & wide_R1, open_RB & ~wide_R1


def _merged(open_RB: Tensor) -> list[tuple[int, int]]:
    """Return runs (first, stop) of open blocks; a longer run pays when the rows are the same."""
    runs: list[tuple[int, int]] = []
    rows_of_run = 0
    count_B = open_RB.sum(dim=0).tolist()
    for block, count in enumerate(count_B):
        if not count:
            continue
        if runs:
            first = runs[-1][0]
            joint = int(open_RB[:, first : block + 1].any(dim=1).sum()) * (block + 1 - first)
            if joint <= min(rows_of_run + count + _ROWS_OF_A_START, _MOST_ROW_BLOCKS):
                runs[-1] = (first, block + 1)
                rows_of_run = joint
                continue
        runs.append((block, block + 1))
        rows_of_run = count
    return runs


def hide(scores_RBC: Tensor, position_R: Tensor) -> None:
    """Give one word of each row the lowest score, where these blocks hold it.

    Args:
        scores_RBC: scores of consecutive blocks.
        position_R: position of the word, counted from the first of them.
    """
    num_blocks, block_words = scores_RBC.shape[1:]
    rows = ((position_R >= 0) & (position_R < num_blocks * block_words)).nonzero().squeeze(1)
    blocks, columns = position_R[rows] // block_words, position_R[rows] % block_words
    scores_RBC[rows, blocks, columns] = lowest_score(scores_RBC.dtype)


def lowest_score(dtype: torch.dtype) -> float:
    """Return what no score is below."""
    return -torch.inf if dtype.is_floating_point else torch.iinfo(dtype).min


def _as_scores(limit: Tensor, is_integer: bool, round_up: bool) -> Tensor:
    """Return float64 limits in a type to compare scores with, without a copy of the scores."""
    if not is_integer:
        return limit.float()
    whole = limit.ceil() if round_up else limit.floor()
    bounds = torch.iinfo(torch.int32)
    return whole.clamp(bounds.min, bounds.max).to(torch.int32)


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Forbid autocast and low-precision float32 products: the bands count on true float32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
