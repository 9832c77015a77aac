"""What must not change a match: order, scale, duplicates, history, copies, moves."""

import copy
import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.words.directions import TOLERANCE
from rrnn_lit.words.integers import int8_is_exact
from rrnn_lit.words.nearest import NearestWords
from tests.reference import cosines, exact_order_key, matches_by_brute_force
from tests.words.match_cases import (
    FLOAT_DTYPES,
    SCAN_DTYPES,
    V,
    W,
    duplicates,
    near_ties,
    predictions_near,
    randn,
)

USABLE_DTYPES = [*FLOAT_DTYPES, *([torch.int8] if int8_is_exact() else [])]
small_rows = st.lists(st.integers(-2, 2), min_size=3, max_size=3)


@given(
    rows=st.lists(small_rows, min_size=1, max_size=12),
    predicted=st.lists(small_rows, min_size=1, max_size=6),
    scan_dtype=st.sampled_from(USABLE_DTYPES),
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


def test_dictionary_is_no_part_of_a_checkpoint() -> None:
    assert not NearestWords(duplicates()).state_dict()


@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
@pytest.mark.parametrize("lead", [1e-7, 1e-5, 1e-3, 1e-2])
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_leads_far_below_the_rounding_of_a_scan(
    margin: float, lead: float, scan_dtype: torch.dtype
) -> None:
    # 300 components; each prediction's cosine with its target exceeds that with a second word by
    # margin + lead, or by margin - lead: it lies in the plane of the two words
    words_VW = randn(200, 300)
    words_VW[100:] += 0.5 * words_VW[:100]
    unit_VW = torch.nn.functional.normalize(words_VW, dim=1)
    first, second = unit_VW[:100], unit_VW[100:]
    middle = torch.nn.functional.normalize(first + second, dim=1)
    away = torch.nn.functional.normalize(first - second, dim=1)
    # with both unit words, cosines differ by 2 sin(half their angle) sin(angle from the middle)
    sign_N1 = torch.tensor([1.0, -1.0]).double().repeat(50)[:, None]
    sine_N1 = (margin + sign_N1 * lead) / (first - second).norm(dim=1, keepdim=True)
    predicted_NW = (1 - sine_N1**2).sqrt() * middle + sine_N1 * away
    words = NearestWords(words_VW, scan_dtype, block_words=32)
    matched_N = words.is_nearest(predicted_NW, torch.arange(100), margin)
    assert matched_N.tolist() == [True, False] * 50


def test_an_added_duplicate_changes_nothing() -> None:
    words_VW = randn(V, W)
    predicted_NW, targets_N = predictions_near(words_VW)
    wanted_N = NearestWords(words_VW).is_nearest(predicted_NW, targets_N)
    more = NearestWords(torch.cat([words_VW, words_VW[:30], 2 * words_VW[30:60]]))
    assert torch.equal(more.is_nearest(predicted_NW, targets_N), wanted_N)


@pytest.mark.parametrize("scan_dtype", SCAN_DTYPES)
def test_earlier_calls_and_company_change_nothing(scan_dtype: torch.dtype) -> None:
    words_VW = near_ties()
    predicted_NW, targets_N = predictions_near(words_VW)
    words = NearestWords(words_VW, scan_dtype, block_words=16)
    together_N = words.is_nearest(predicted_NW, targets_N)
    order = torch.randperm(len(targets_N)).tolist()
    for i in order:
        words.is_nearest(predicted_NW[i : i + 1], targets_N[i : i + 1], margin=0.3)
        alone = words.is_nearest(predicted_NW[i : i + 1], targets_N[i : i + 1])
        assert alone.item() == together_N[i].item()
    assert torch.equal(words.is_nearest(predicted_NW, targets_N), together_N)


def saved(words: NearestWords) -> io.BytesIO:
    """What a spawned worker process would be sent."""
    file = io.BytesIO()
    torch.save(words, file)
    file.seek(0)
    return file


def test_a_copy_and_a_pickle_answer_alike_and_carry_no_scan() -> None:
    words_VW = randn(V, W)
    predicted_NW, targets_N = predictions_near(words_VW)
    words = NearestWords(words_VW)
    size = len(saved(words).getvalue())
    wanted_N = words.is_nearest(predicted_NW, targets_N)
    file = saved(words)
    assert len(file.getvalue()) == size
    sent = torch.load(file, weights_only=False)
    assert torch.equal(sent.is_nearest(predicted_NW, targets_N), wanted_N)
    assert torch.equal(copy.deepcopy(words).is_nearest(predicted_NW, targets_N), wanted_N)


def test_a_change_of_stored_precision_is_noticed() -> None:
    words_VW = near_ties()
    predicted_NW, targets_N = predictions_near(words_VW)
    words = NearestWords(words_VW)
    before = words.is_nearest(predicted_NW, targets_N).tolist()
    words.half()
    stored_VW = words.vectors_VW.double()
    cosine_NV = cosines(predicted_NW, stored_VW)
    wanted = matches_by_brute_force(cosine_NV, stored_VW, targets_N.tolist(), 0.0, TOLERANCE)
    assert words.is_nearest(predicted_NW, targets_N).tolist() == wanted
    assert before != wanted
