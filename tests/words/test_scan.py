"""The error bands hold, are needed, and memory stays bounded, for every scan."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from rrnn_lit.words.directions import Directions, unit_rows
from rrnn_lit.words.float_scan import FloatScan
from rrnn_lit.words.int8_scan import Int8Scan
from rrnn_lit.words.integers import int8_is_exact
from rrnn_lit.words.nearest import NearestWords
from rrnn_lit.words.scan import Queries, Scan, beaten_rows
from tests.words.match_cases import SCAN_DTYPES, of_any_norm, randn

BLOCK_WORDS = 64
# how much of its band the worst of some 40,000 scores uses; float32 must allow for any order of
# addition, and float64 keeps the slack of float32
USED_SHARE = {
    torch.int8: 0.05,
    torch.float16: 0.05,
    torch.bfloat16: 0.05,
    torch.float32: 0.0005,
    torch.float64: 0.0,
}


def make_scan(directions: Directions, scan_dtype: torch.dtype) -> Scan:
    if scan_dtype == torch.int8:
        return Int8Scan(directions, BLOCK_WORDS)
    return FloatScan(directions, BLOCK_WORDS, scan_dtype)


@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
def test_no_score_is_further_from_the_cosine_than_its_band(scan_dtype: torch.dtype) -> None:
    directions = Directions(randn(500, 300) * (0.1 + torch.rand(300).double() ** 8))
    scan = make_scan(directions, scan_dtype)
    unit_NW = unit_rows(torch.cat([randn(40, 300), directions.vectors_VW[:40] + randn(40, 300)]))[
        0
    ]
    queries = scan.queries(unit_NW)
    cosine_NU = unit_NW @ directions.unit(directions.word_ids_U[scan.order_U]).T
    shares = []
    for block in range(8):
        cosine_NC = cosine_NU[:, block * BLOCK_WORDS : (block + 1) * BLOCK_WORDS]
        score_NC = scan.scores(queries.query_NK, block, block + 1)[:, 0, : cosine_NC.shape[1]]
        error_NC = (queries.unit_NB[:, block, None] * score_NC - cosine_NC).abs()
        shares.append((error_NC / queries.band_NB[:, block, None]).max())
    assert max(shares) <= 1
    assert max(shares) >= USED_SHARE[scan_dtype]


class _WithoutBand:
    """A scan that trusts its scores."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.block_words = scan.block_words
        self.order_U, self.position_U = scan.order_U, scan.position_U
        self.filter = None
        self.fine = None

    def queries(self, unit_NW: Tensor) -> Queries:
        queries = self.scan.queries(unit_NW)
        return replace(queries, band_NB=torch.zeros_like(queries.band_NB))

    def scores(self, query_RK: Tensor, first: int, stop: int) -> Tensor:
        return self.scan.scores(query_RK, first, stop)


@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
def test_without_its_band_a_scan_is_wrong(scan_dtype: torch.dtype) -> None:
    # every prediction lies 1e-9 on its target's side of the middle between two words
    directions = Directions(randn(200, 300))
    unit_VW = directions.unit(torch.arange(200))
    predicted_NW = unit_VW[:100] + unit_VW[100:] + 1e-9 * unit_VW[:100]
    unit_NW = unit_rows(predicted_NW)[0]
    targets_N = torch.arange(100)
    limit_N = torch.linalg.vecdot(unit_NW, unit_VW[:100])
    scan = make_scan(directions, scan_dtype)
    assert not beaten_rows(scan, directions, unit_NW, limit_N, targets_N).any()
    trusting = _WithoutBand(scan)
    wrong_N = beaten_rows(trusting, directions, unit_NW, limit_N, targets_N)
    # even float64 loses: limits are compared in float32
    assert wrong_N.any()


class _LargestTensor(TorchDispatchMode):
    numel = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for part in result if isinstance(result, tuple | list) else [result]:
            if isinstance(part, Tensor):
                self.numel = max(self.numel, part.numel())
        return result


@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
@pytest.mark.parametrize("value", [0.0, float("nan"), 1.0])
@pytest.mark.parametrize("make_words", [lambda: randn(400, 4), of_any_norm])
def test_scores_of_one_block_are_the_largest_array(
    make_words: Any, value: float, scan_dtype: torch.dtype
) -> None:
    # a diverged model predicts NaN everywhere: that must not make every word a candidate
    words_VW = make_words()
    words = NearestWords(words_VW, scan_dtype, block_words=50)
    predicted_NW = value * randn(300, words_VW.shape[1])
    targets_N = torch.zeros(300, dtype=torch.int64)
    words.nearest_word_ids(predicted_NW[:1])
    words.is_nearest(predicted_NW[:1], targets_N[:1])
    largest = _LargestTensor()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    with largest:
        words.nearest_word_ids(predicted_NW)
        words.is_nearest(predicted_NW, targets_N)
    assert largest.numel <= 300 * 50


@pytest.mark.parametrize("margin", [0.0, 1e-5])
def test_a_crowd_of_close_words_is_decided_by_the_finer_scan(
    margin: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not int8_is_exact():
        pytest.skip("needs a CPU with VNNI")
    words_VW = (randn(1, 300) + 0.03 * randn(3_000, 300)).float()
    target_ids_N = torch.arange(0, 3_000, 60)
    predicted_NW = words_VW[target_ids_N] + 0.03 * torch.randn(50, 300)
    predicted_NW[:5] = words_VW[target_ids_N[:5] + 1]
    wanted = NearestWords(words_VW.double(), torch.float64).is_nearest(
        predicted_NW, target_ids_N, margin
    )
    pairs: list[int] = []
    cosines = Directions.cosines

    def count(self: Directions, unit_NW: Tensor, rows_P: Tensor, word_ids_P: Tensor) -> Tensor:
        pairs.append(len(rows_P))
        return cosines(self, unit_NW, rows_P, word_ids_P)

    monkeypatch.setattr(Directions, "cosines", count)
    got = NearestWords(words_VW, torch.int8).is_nearest(predicted_NW, target_ids_N, margin)
    assert torch.equal(got, wanted)
    assert got.any()
    assert not got.all()
    # every word is inside the band of 8 bits: 150,000 pairs
    assert sum(pairs) < 5_000
