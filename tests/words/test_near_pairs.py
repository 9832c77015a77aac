import numpy as np
import pytest

from rrnn_lit.words import near_pairs
from rrnn_lit.words.exact_units import Units, units_of
from rrnn_lit.words.near_pairs import NearPairs, find_near_pairs

VOCAB, MOVABLE = 60, 55


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_pairs, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(near_pairs, "COLUMNS_AT_ONCE", 11)


@pytest.fixture
def units() -> Units:
    stored = np.random.default_rng(0).standard_normal((VOCAB, 6)).astype(np.float16)
    stored[20] = stored[3] * 2  # parallel to an earlier word
    stored[57] = stored[8]  # parallel to a word that does not move
    return units_of(stored)[0]


def by_brute_force(units: Units, rows: set[int], threshold: float) -> dict[tuple[int, int], float]:
    found = {}
    for i in range(VOCAB):
        for j in range(i + 1, VOCAB):
            cosine = float(units[i].astype(np.float64) @ units[j].astype(np.float64))
            if (i in rows or j in rows) and i < MOVABLE and cosine > threshold:
                found[i, j] = cosine
    return found


def pairs_of(found: NearPairs) -> list[tuple[int, int]]:
    return sorted(zip(found.first_P.tolist(), found.second_P.tolist(), strict=True))


@pytest.mark.parametrize("rows", [range(MOVABLE), [0, 3, 4, 20, 54], range(10, 30), []])
def test_equals_brute_force(units: Units, rows: list[int]) -> None:
    found = find_near_pairs(units, np.array(rows, dtype=np.int64), MOVABLE, 0.6, 10_000)
    expected = by_brute_force(units, set(rows), 0.6)
    assert pairs_of(found) == sorted(expected)
    assert found.num_pairs == len(expected)
    assert found.largest == max(expected.values(), default=-1.0)
    assert set(np.flatnonzero(found.in_pair_V)) == {i for pair in expected for i in pair}


def test_too_many_pairs_are_counted_and_not_kept(units: Units) -> None:
    rows = np.arange(MOVABLE)
    everything = find_near_pairs(units, rows, MOVABLE, 0.3, 10_000)
    counted = find_near_pairs(units, rows, MOVABLE, 0.3, 50)
    assert everything.is_complete
    assert not counted.is_complete
    assert counted.num_pairs == everything.num_pairs > 50
    assert len(counted.first_P) == 0
    np.testing.assert_array_equal(counted.in_pair_V, everything.in_pair_V)


def test_parallel_words_that_can_move_are_to_be_turned(units: Units) -> None:
    found = find_near_pairs(units, np.arange(MOVABLE), MOVABLE, 0.6, 10_000)
    assert set(np.flatnonzero(found.is_parallel_V)) == {3, 8, 20}
