import pytest
import torch
from torch import Tensor

from rrnn_lit.models.live_rows import find_live_rows
from rrnn_lit.models.packing import Packing

SIZES = (4, 3, 2, 2, 1)  # lengths 5, 4, 2, 1


def gradient(rows: list[int], num_rows: int = sum(SIZES)) -> Tensor:
    """Zero but for one element of some rows."""
    outer_NH = torch.zeros(num_rows, 3)
    outer_NH[rows, 1] = -1e-30
    return outer_NH


def test_rows_before_the_last_gradient_of_a_sentence_live() -> None:
    # rank 0: rows 0, 4, 7, 9, 11; rank 1: 1, 5, 8, 10; rank 2: 2, 6; rank 3: 3
    live = find_live_rows(gradient([4, 8]), SIZES)
    assert live is not None
    assert live.ranks_L.tolist() == [1, 0]
    assert live.step_sizes == (2, 2, 1)
    assert live.rows_M.tolist() == [1, 0, 5, 4, 8]


def test_a_last_state_reaches_its_whole_sentence() -> None:
    live = find_live_rows(gradient([1, 3], num_rows=4), SIZES)
    assert live is not None
    assert live.ranks_L.tolist() == [1, 3]
    assert live.step_sizes == (2, 1, 1, 1)
    assert live.rows_M.tolist() == [1, 3, 5, 8, 10]


@pytest.mark.parametrize("num_rows", [4, 12])
def test_one_row_stays_where_there_is_no_gradient(num_rows: int) -> None:
    live = find_live_rows(gradient([], num_rows), SIZES)
    assert live is not None
    assert live.step_sizes == (1,)
    assert live.rows_M.tolist() == live.ranks_L.tolist() == [0]


def test_nothing_is_copied_where_nearly_all_rows_live() -> None:
    assert find_live_rows(gradient([11, 10, 6]), SIZES) is None
    assert find_live_rows(gradient([0, 1, 2], num_rows=4), SIZES) is None


def test_a_nan_counts_as_a_gradient() -> None:
    outer_NH = gradient([])
    outer_NH[6, 0] = torch.nan
    live = find_live_rows(outer_NH, SIZES)
    assert live is not None
    assert live.rows_M.tolist() == [2, 6]


def test_a_part_is_a_packing_of_its_sentences() -> None:
    packing = Packing.of(torch.tensor([5, 9, 2, 7, 7, 1]), torch.device("cpu"))
    outer_NH = torch.randn(len(packing.rows_N), 2) * (torch.rand(len(packing.rows_N), 1) < 0.2)
    live = find_live_rows(outer_NH, packing.step_sizes)
    assert live is not None
    assert sum(live.step_sizes) == len(live.rows_M) == len(live.rows_M.unique())
    start = 0
    for size in live.step_sizes:
        # at every position the first sentences of the part are still there
        rows = live.rows_M[start : start + size]
        assert torch.equal(packing.ranks_N[rows], live.ranks_L[:size])
        start += size
    gone = torch.ones(len(outer_NH), dtype=torch.bool)
    gone[live.rows_M] = False
    assert (outer_NH[gone] == 0).all()
