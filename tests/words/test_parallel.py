from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.words import parallel
from rrnn_lit.words.parallel import parallel_groups
from tests.reference import are_parallel


def groups_of(rows: Any) -> list[list[int]]:
    return [group.tolist() for group in parallel_groups(np.asarray(rows, dtype=np.float16))]


def groups_by_brute_force(rows: npt.NDArray[np.float16]) -> list[list[int]]:
    groups: list[list[int]] = []
    for i, row in enumerate(rows):
        home = next((g for g in groups if are_parallel(rows[g[0]], row)), None)
        if home is None:
            groups.append([i])
        else:
            home.append(i)
    return [group for group in groups if len(group) > 1]


def test_duplicates_and_multiples_share_a_group() -> None:
    rows = [[1, 2], [3, 1], [2, 4], [1, 2], [0.5, 1], [6, 2], [9, 9]]
    assert groups_of(rows) == [[0, 2, 3, 4], [1, 5]]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([[1, 2], [-1, -2]], id="opposite"),
        pytest.param([[0, 0], [0, 0]], id="zero"),
        pytest.param([[0, 0], [1, 2]], id="zero and another"),
        pytest.param([[1, 2], [1, 2.002]], id="one step of float16 apart"),
        pytest.param([[1, 2], [2, 1]], id="same values in another order"),
        pytest.param([[1, 2]], id="one word"),
    ],
)
def test_not_parallel(rows: list[list[float]]) -> None:
    assert groups_of(rows) == []


def test_negative_zero_is_zero() -> None:
    assert groups_of([[0.0, 1.0], [-0.0, 2.0]]) == [[0, 1]]


def test_largest_and_smallest_float16_values() -> None:
    # 2^-24 is the smallest float16 above zero, 2^15 times 2^-24 still below the largest
    smallest = 2.0**-24
    assert groups_of([[smallest, 0], [65504, 0], [0, smallest], [32768, 32768]]) == [[0, 1]]


@given(st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=1, max_size=20))
def test_groups_equal_brute_force_in_rational_numbers(rows: list[list[int]]) -> None:
    array = np.array(rows, dtype=np.float16)
    assert groups_of(array) == groups_by_brute_force(array)


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_groups_do_not_depend_on_the_chunk(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((30, 5)).astype(np.float16)
    array = np.concatenate([rows, rows[::3] * np.float16(4), rows[::2]])
    wanted = groups_by_brute_force(array)
    monkeypatch.setattr(parallel, "CHUNK_ROWS", chunk)
    assert groups_of(array) == wanted
    assert len(wanted) == 20


def test_words_of_equal_hash_are_still_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        parallel, "direction_hash", lambda rows: np.zeros(len(rows), dtype=np.uint64)
    )
    assert groups_of([[1, 2], [3, 1], [2, 4], [6, 2], [5, 5], [0, 0]]) == [[0, 2], [1, 3]]
