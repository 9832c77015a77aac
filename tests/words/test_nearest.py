from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from rrnn_lit.words import nearest
from rrnn_lit.words.nearest import TOLERANCE, NearestWords, fastest_scan_dtype
from tests.reference import (
    cosines,
    exact_order_key,
    matches_by_brute_force,
    nearest_by_brute_force,
)

SCAN_DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64]
W = 12
V = 90


def randn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def clustered() -> Tensor:
    return randn(3, W).repeat_interleave(V // 3, dim=0) + 1e-3 * randn(V, W)


def near_ties() -> Tensor:
    """Pairs of words whose cosines with a random vector differ by about 1e-7."""
    words_VW = randn(V // 2, W)
    return torch.cat([words_VW, words_VW + 1e-7 * randn(V // 2, W)])


def duplicates() -> Tensor:
    words_VW = randn(V // 3, W)
    return torch.cat([words_VW, words_VW.flip(0), words_VW])[torch.randperm(V)]


def multiples() -> Tensor:
    words_VW = randn(V // 3, W)
    return torch.cat([words_VW, 4 * words_VW, 0.125 * words_VW])[torch.randperm(V)]


def with_zero_rows() -> Tensor:
    words_VW = randn(V, W)
    words_VW[::3] = 0
    return words_VW


def of_any_norm() -> Tensor:
    return randn(V, W) * 10.0 ** torch.randint(-4, 4, (V, 1))


def opposites() -> Tensor:
    words_VW = randn(V // 2, W)
    return torch.cat([words_VW, -words_VW])


DICTIONARIES: dict[str, Callable[[], Tensor]] = {
    "random": lambda: randn(V, W),
    "clustered": clustered,
    "near ties": near_ties,
    "duplicates": duplicates,
    "multiples": multiples,
    "zero rows": with_zero_rows,
    "any norm": of_any_norm,
    "tiny": lambda: 1e-200 * randn(V, W),
    "huge": lambda: 1e200 * randn(V, W),
    "opposites": opposites,
    "stored in 16 bits": lambda: (0.05 * randn(V, W)).half().double(),
}


def predictions_near(words_VW: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions (N, W) from very near to unrelated, scaled at will, and their target words."""
    targets_N = torch.randint(len(words_VW), (80,))
    noise_N1 = torch.tensor([0.0, 1e-6, 0.1, 1.0]).double().repeat(20)[:, None]
    words_NW = words_VW[targets_N]
    size_N1 = words_NW.abs().amax(dim=1, keepdim=True)
    predicted_NW = (words_NW + noise_N1 * size_N1 * randn(80, W)) * 10.0 ** randn(80, 1)
    predicted_NW[40] = 0
    predicted_NW[41, 3] = torch.nan
    predicted_NW[42, 5] = torch.inf
    predicted_NW[43] = -torch.inf
    return predicted_NW, targets_N


@pytest.fixture(params=[8_192, 7], ids=lambda size: f"chunks of {size}")
def _chunk_words(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "CHUNK_WORDS", request.param)


@pytest.mark.usefixtures("_chunk_words")
@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
@pytest.mark.parametrize("kind", DICTIONARIES)
def test_equals_brute_force(kind: str, scan_dtype: torch.dtype) -> None:
    words_VW = DICTIONARIES[kind]()
    predicted_NW, targets_N = predictions_near(words_VW)
    words = NearestWords(words_VW, scan_dtype)
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


small_rows = st.lists(st.integers(-2, 2), min_size=3, max_size=3)


@given(
    rows=st.lists(small_rows, min_size=1, max_size=12),
    predicted=st.lists(small_rows, min_size=1, max_size=6),
    scan_dtype=st.sampled_from(SCAN_DTYPES),
    as_target=st.integers(0, 11),
)
def test_ties_on_a_grid_equal_rational_arithmetic(
    rows: list[list[int]], predicted: list[list[int]], scan_dtype: torch.dtype, as_target: int
) -> None:
    words = NearestWords(torch.tensor(rows, dtype=torch.float16), scan_dtype)
    target = as_target % len(rows)
    wanted_ids, wanted = [], []
    for y in predicted:
        keys = {i: exact_order_key(y, w) for i, w in enumerate(rows) if any(w)}
        best = max(keys.values(), default=None)
        wanted_ids.append(min((i for i in keys if keys[i] == best and any(y)), default=-1))
        wanted.append(any(y) and target in keys and keys[target] == best)
    predicted_NW = torch.tensor(predicted, dtype=torch.float32)
    assert words.nearest_word_ids(predicted_NW).tolist() == wanted_ids
    targets_N = torch.full((len(predicted),), target)
    assert words.is_nearest(predicted_NW, targets_N).tolist() == wanted


@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_duplicate_and_multiple_never_beat_target(margin: float, scan_dtype: torch.dtype) -> None:
    words_VW = torch.tensor([[0.3, 0.1], [0.3, 0.1], [0.6, 0.2], [0.15, 0.05], [-0.1, 0.3]])
    words = NearestWords(words_VW.half(), scan_dtype)
    # all multiples are powers of two, so they stay exact in 16 bits
    predicted_NW = torch.tensor([[3.0, 1.1]]).expand(4, 2)
    assert words.is_nearest(predicted_NW, torch.arange(4), margin).all()
    assert words.nearest_word_ids(predicted_NW).tolist() == [0] * 4


def test_lowest_id_is_named_among_ties() -> None:
    words_VW = torch.tensor([[0.0, 1.0], [1.0, 1.0], [2.0, 2.0], [1.0, -1.0]])
    words = NearestWords(words_VW)
    predicted_NW = torch.tensor([[5.0, 5.0], [1.0, 0.0], [-1.0, 1.0]])
    # the second is equally near to 1, 2 and 3; the third's largest cosine is that of 0
    assert words.nearest_word_ids(predicted_NW).tolist() == [1, 1, 0]
    targets_N = torch.tensor([2, 3, 0])
    assert words.is_nearest(predicted_NW, targets_N).tolist() == [True, True, True]


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


@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
@pytest.mark.parametrize(
    ("distance", "wanted"), [(1e-9, True), (1e-5, True), (-1e-9, False), (-1e-5, False)]
)
def test_margin_is_exact(distance: float, wanted: bool, scan_dtype: torch.dtype) -> None:
    # cosines with (1, 0): target 0.9, rival 0.7 less the distance
    rival = 0.7 - distance
    height = (1 - 0.9**2) ** 0.5
    rows = [[0.9, height], [rival, (1 - rival**2) ** 0.5], [1.8, 2 * height]]
    words = NearestWords(torch.tensor(rows, dtype=torch.float64), scan_dtype)
    predicted_NW = torch.tensor([[3.0, 0.0]])
    assert words.is_nearest(predicted_NW, torch.tensor([0]), 0.2).tolist() == [wanted]
    assert words.is_nearest(predicted_NW, torch.tensor([0]), 0.0).tolist() == [True]


def test_a_larger_margin_never_adds_a_match() -> None:
    words_VW = randn(V, W)
    predicted_NW, targets_N = predictions_near(words_VW)
    words = NearestWords(words_VW)
    counts = [int(words.is_nearest(predicted_NW, targets_N, m).sum()) for m in (0, 0.1, 0.3, 2)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2] > counts[3] == 0


def test_permuting_the_dictionary_permutes_the_answer() -> None:
    words_VW = randn(V, W)
    predicted_NW, targets_N = predictions_near(words_VW)
    order_V = torch.randperm(V)
    position_V = order_V.argsort()
    words, moved = NearestWords(words_VW), NearestWords(words_VW[order_V])
    before_N = words.nearest_word_ids(predicted_NW)
    wanted_N = torch.where(before_N < 0, before_N, position_V[before_N])
    assert torch.equal(moved.nearest_word_ids(predicted_NW), wanted_N)
    matched_N = words.is_nearest(predicted_NW, targets_N)
    assert torch.equal(moved.is_nearest(predicted_NW, position_V[targets_N]), matched_N)


@pytest.mark.parametrize("factor", [1e-300, 1e-3, 7.0, 1e300])
def test_scaling_the_output_changes_nothing(factor: float) -> None:
    words_VW = randn(V, W)
    predicted_NW = words_VW + randn(V, W)
    words = NearestWords(words_VW)
    wanted_N = words.is_nearest(predicted_NW, torch.arange(V))
    assert torch.equal(words.is_nearest(predicted_NW * factor, torch.arange(V)), wanted_N)
    wanted_N = words.nearest_word_ids(predicted_NW)
    assert torch.equal(words.nearest_word_ids(predicted_NW * factor), wanted_N)


def test_the_output_itself_as_a_word_makes_a_mismatch() -> None:
    words_VW = randn(V, W)
    predicted_NW = words_VW[:1] + 1e-4 * randn(1, W)
    target = torch.tensor([0])
    assert NearestWords(words_VW).is_nearest(predicted_NW, target).all()
    more = NearestWords(torch.cat([words_VW, predicted_NW]))
    assert not more.is_nearest(predicted_NW, target).any()
    assert more.nearest_word_ids(predicted_NW).tolist() == [V]


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


class _LargestTensor(TorchDispatchMode):
    numel = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for part in result if isinstance(result, tuple | list) else [result]:
            if isinstance(part, Tensor):
                self.numel = max(self.numel, part.numel())
        return result


@pytest.mark.parametrize("value", [0.0, float("nan"), 1.0])
def test_scores_of_one_chunk_are_the_largest_array(
    value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a diverged model predicts NaN everywhere: that must not make every word a candidate
    monkeypatch.setattr(nearest, "CHUNK_WORDS", 50)
    words = NearestWords(randn(400, 4))
    predicted_NW = value * randn(300, 4)
    words.nearest_word_ids(predicted_NW[:1])
    largest = _LargestTensor()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    with largest:
        words.nearest_word_ids(predicted_NW)
        words.is_nearest(predicted_NW, torch.zeros(300, dtype=torch.int64))
    assert largest.numel <= 300 * 50


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


def test_dictionary_is_no_part_of_a_checkpoint() -> None:
    assert not NearestWords(duplicates()).state_dict()


def test_processors_without_fast_16_bit_products_scan_in_fp32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert fastest_scan_dtype(torch.device("cpu")) == torch.float32
    assert fastest_scan_dtype(torch.device("cuda")) == torch.float16


@pytest.mark.gpu
@pytest.mark.parametrize("scan_dtype", [*SCAN_DTYPES, None])
@pytest.mark.parametrize("kind", DICTIONARIES)
def test_cuda_equals_brute_force(kind: str, scan_dtype: torch.dtype | None) -> None:
    words_VW = DICTIONARIES[kind]()
    predicted_NW, targets_N = predictions_near(words_VW)
    cosine_NV = cosines(predicted_NW, words_VW)
    words = NearestWords(words_VW, scan_dtype).cuda()
    wanted_ids = nearest_by_brute_force(cosine_NV, TOLERANCE)
    assert words.nearest_word_ids(predicted_NW.cuda()).tolist() == wanted_ids
    wanted = matches_by_brute_force(cosine_NV, words_VW, targets_N.tolist(), 0.0, TOLERANCE)
    assert words.is_nearest(predicted_NW.cuda(), targets_N.cuda()).tolist() == wanted
