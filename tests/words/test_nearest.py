import numpy as np
import pytest
import torch

from rrnn_lit.words.directions import TOLERANCE
from rrnn_lit.words.nearest import NearestWords, fastest_scan_dtype
from tests.reference import cosines, matches_by_brute_force, nearest_by_brute_force
from tests.words.match_cases import (
    DICTIONARIES,
    FLOAT_DTYPES,
    SCAN_DTYPES,
    V,
    W,
    duplicates,
    near_ties,
    predictions_near,
    randn,
)


@pytest.mark.parametrize(
    ("scan_dtype", "block_words"),
    [*[(dtype, 7) for dtype in FLOAT_DTYPES], (None, 7), (None, 8_192)],
)
@pytest.mark.parametrize("kind", DICTIONARIES)
def test_equals_brute_force(kind: str, scan_dtype: torch.dtype | None, block_words: int) -> None:
    words_VW = DICTIONARIES[kind]()
    predicted_NW, targets_N = predictions_near(words_VW)
    words = NearestWords(words_VW, scan_dtype, block_words)
    cosine_NV = cosines(predicted_NW, words_VW)
    wanted_ids = nearest_by_brute_force(cosine_NV, TOLERANCE)
    assert words.nearest_word_ids(predicted_NW).tolist() == wanted_ids
    for margin in (0.0, 0.2):
        wanted = matches_by_brute_force(cosine_NV, words_VW, targets_N.tolist(), margin, TOLERANCE)
        assert words.is_nearest(predicted_NW, targets_N, margin).tolist() == wanted
        assert True in wanted or margin
        assert False in wanted


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
def test_any_stored_precision_of_dictionary_and_predictions(
    dtype: torch.dtype, scan_dtype: torch.dtype
) -> None:
    words_VW = (0.05 * randn(V, W)).to(dtype)
    predicted_NW = (words_VW[:40] + 0.05 * torch.randn(40, W)).to(dtype)
    words = NearestWords(words_VW, scan_dtype)
    cosine_NV = cosines(predicted_NW.double(), words_VW.double())
    wanted_ids = nearest_by_brute_force(cosine_NV, TOLERANCE)
    assert words.nearest_word_ids(predicted_NW).tolist() == wanted_ids
    targets = list(range(40))
    wanted = matches_by_brute_force(cosine_NV, words_VW.double(), targets, 0.0, TOLERANCE)
    assert words.is_nearest(predicted_NW, torch.tensor(targets)).tolist() == wanted


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), -float("inf")])
def test_nan_and_zero_are_mismatches(value: float) -> None:
    words = NearestWords(torch.ones(1, 4))
    predicted_NW = torch.full((2, 4), value)
    predicted_NW[1] = torch.tensor([1.0, 1.0, 1.0, 1.0 if value == 0 else value])
    is_good = value == 0
    assert words.is_nearest(predicted_NW, torch.tensor([0, 0])).tolist() == [False, is_good]
    assert words.nearest_word_ids(predicted_NW).tolist() == [-1, 0 if is_good else -1]


def test_zero_words_are_never_nearest_and_never_matched() -> None:
    words = NearestWords(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    away = torch.tensor([[-1.0, 0.0]])
    assert words.nearest_word_ids(away).tolist() == [1]
    assert words.is_nearest(away, torch.tensor([1])).tolist() == [True]
    assert words.is_nearest(away, torch.tensor([0])).tolist() == [False]


def test_negative_cosine_never_wins() -> None:
    words = NearestWords(torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]))
    predicted_NW = torch.tensor([[-5.0, 0.1]])
    # cosines -0.9998, -0.584, 0.02
    assert words.nearest_word_ids(predicted_NW).tolist() == [2]
    assert words.is_nearest(predicted_NW.expand(3, 2), torch.arange(3)).tolist() == [
        False,
        False,
        True,
    ]


def test_no_predictions_no_answers() -> None:
    words = NearestWords(duplicates())
    nothing_NW, nothing_N = torch.zeros(0, W), torch.zeros(0, dtype=torch.int64)
    assert words.is_nearest(nothing_NW, nothing_N).tolist() == []
    assert words.nearest_word_ids(nothing_NW).tolist() == []


@pytest.mark.parametrize("scan_dtype", [*SCAN_DTYPES, None])
def test_an_enclosing_autocast_changes_nothing(scan_dtype: torch.dtype | None) -> None:
    words_VW = near_ties()
    predicted_NW, targets_N = predictions_near(words_VW)
    words = NearestWords(words_VW, scan_dtype)
    wanted_ids, wanted = (
        words.nearest_word_ids(predicted_NW),
        words.is_nearest(predicted_NW, targets_N),
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(words.nearest_word_ids(predicted_NW), wanted_ids)
        assert torch.equal(words.is_nearest(predicted_NW, targets_N), wanted)


@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
def test_error_of_long_vectors_stays_inside_the_band(scan_dtype: torch.dtype) -> None:
    # 300 components, all predictions on the edge between two words
    words_VW = (0.05 * randn(400, 300)).half()
    pairs_N2 = torch.randint(400, (60, 2))
    unit_VW = torch.nn.functional.normalize(words_VW.double(), dim=1)
    predicted_NW = unit_VW[pairs_N2].sum(dim=1) + 1e-5 * randn(60, 300)
    words = NearestWords(words_VW, scan_dtype)
    cosine_NV = unit_VW @ torch.nn.functional.normalize(predicted_NW, dim=1).T
    assert torch.equal(words.nearest_word_ids(predicted_NW), cosine_NV.argmax(dim=0))
    wanted_N = cosine_NV.argmax(dim=0) == pairs_N2[:, 0]
    assert torch.equal(words.is_nearest(predicted_NW, pairs_N2[:, 0]), wanted_N)
    assert 10 < int(wanted_N.sum()) < 50


def test_cosine_with_a_word() -> None:
    words = NearestWords(torch.tensor([[3.0, 4.0], [0.0, 0.0], [-2.0, 0.0]]))
    predicted_NW = torch.tensor([[10.0, 0.0], [1.0, 1.0], [5.0, 0.0], [0.0, 0.0]])
    cosine_N = words.cosine(predicted_NW, torch.tensor([0, 1, 2, 0]))
    assert cosine_N.dtype == torch.float64
    assert cosine_N.tolist() == pytest.approx([0.6, np.nan, -1.0, np.nan], nan_ok=True)


def test_answers_are_int64_and_bool_and_carry_no_gradient() -> None:
    words_VW = randn(V, W)
    words = NearestWords(words_VW)
    predicted_NW = words_VW.clone().requires_grad_()
    assert words.nearest_word_ids(predicted_NW).dtype == torch.int64
    matched_N = words.is_nearest(predicted_NW, torch.arange(V))
    assert (matched_N.dtype, matched_N.requires_grad) == (torch.bool, False)


def test_processors_without_8_bit_products_scan_in_16_or_32_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False)
    assert fastest_scan_dtype(cpu) in (torch.bfloat16, torch.float32)
    with pytest.raises(ValueError, match="scan_dtype: int8 wants a CPU with VNNI"):
        NearestWords(randn(3, 4), torch.int8).nearest_word_ids(randn(1, 4))
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert fastest_scan_dtype(cpu) == torch.float32
    assert fastest_scan_dtype(torch.device("cuda")) == torch.float16


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("stored", [torch.float64, torch.float32, torch.float16])
@pytest.mark.parametrize("scan_dtype", [*FLOAT_DTYPES, None])
@pytest.mark.parametrize("kind", DICTIONARIES)
def test_cuda_equals_brute_force(
    kind: str, scan_dtype: torch.dtype | None, stored: torch.dtype
) -> None:
    words_VW = DICTIONARIES[kind]().to(stored)
    if not torch.isfinite(words_VW).all():
        pytest.skip(f"{kind} does not fit {stored}")
    predicted_NW, targets_N = predictions_near(words_VW.double())
    cosine_NV = cosines(predicted_NW, words_VW.double())
    words = NearestWords(words_VW, scan_dtype).cuda()
    wanted_ids = nearest_by_brute_force(cosine_NV, TOLERANCE)
    assert words.nearest_word_ids(predicted_NW.cuda()).tolist() == wanted_ids
    for margin in (0.0, 0.2):
        wanted = matches_by_brute_force(
            cosine_NV, words_VW.double(), targets_N.tolist(), margin, TOLERANCE
        )
        answer_N = words.is_nearest(predicted_NW.cuda(), targets_N.cuda(), margin)
        assert answer_N.tolist() == wanted


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cuda_match_never_makes_the_host_wait() -> None:
    words = NearestWords(randn(V, 12).half()).cuda()
    predicted_NW, targets_N = randn(40, 12).float().cuda(), torch.arange(40).cuda()
    words.is_nearest(predicted_NW, targets_N)
    torch.cuda.set_sync_debug_mode("error")
    try:
        words.is_nearest(predicted_NW, targets_N)
    finally:
        torch.cuda.set_sync_debug_mode("default")
