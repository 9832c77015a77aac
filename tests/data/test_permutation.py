import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.data.permutation import KeyedPermutation

SIZES = [*range(1, 71), 255, 256, 257, 1000, 1023, 1024, 1025, 4095, 4096, 4097]


@pytest.mark.parametrize("size", SIZES)
def test_every_element_occurs_once(size: int) -> None:
    elements = KeyedPermutation(size, (7, size))(np.arange(size))
    assert elements.dtype == np.int64
    assert np.array_equal(np.sort(elements), np.arange(size))


@given(
    size=st.integers(1, 10**7),
    key=st.tuples(st.integers(0, 2**63), st.integers(0, 100)),
    share=st.floats(0, 1),
)
def test_an_element_does_not_depend_on_what_else_is_asked(
    size: int, key: tuple[int, int], share: float
) -> None:
    position = round(share * (size - 1))
    near = np.arange(max(0, position - 3), min(size, position + 4))
    together = KeyedPermutation(size, key)(near)
    assert len(set(together.tolist())) == len(near)
    assert ((together >= 0) & (together < size)).all()
    alone = KeyedPermutation(size, key)(np.array([position]))
    assert alone[0] == together[near.tolist().index(position)]


def test_the_caller_keeps_his_positions() -> None:
    positions = np.arange(100)
    KeyedPermutation(100, (0,))(positions)
    assert np.array_equal(positions, np.arange(100))


@pytest.mark.parametrize("other", [(1, 3), (2, 2), (1, 2, 5)])
def test_another_key_another_order(other: tuple[int, ...]) -> None:
    positions = np.arange(1000)
    order = KeyedPermutation(1000, (1, 2))(positions)
    assert (order == KeyedPermutation(1000, other)(positions)).mean() < 0.02
    assert np.array_equal(order, KeyedPermutation(1000, (1, 2))(positions))


@pytest.mark.parametrize("size", [3, 10, 50])
def test_every_element_is_equally_likely_at_every_position(size: int) -> None:
    keys = 1500
    counts = np.zeros((size, size))
    for key in range(keys):
        counts[np.arange(size), KeyedPermutation(size, (key,))(np.arange(size))] += 1
    wanted = keys / size
    # chi-square of (size - 1)^2 degrees of freedom; five of its standard deviations above its mean
    freedom = (size - 1) ** 2
    chi_square = ((counts - wanted) ** 2 / wanted).sum()
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom)


def test_neighbours_are_scattered() -> None:
    order = KeyedPermutation(100_000, (5, 0))(np.arange(100_000))
    distance = np.abs(np.diff(order))
    # two independent uniform numbers are a third of the range apart on average
    assert distance.mean() == pytest.approx(100_000 / 3, rel=0.02)
    assert abs(np.corrcoef(order, np.arange(100_000))[0, 1]) < 0.02


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_range_is_an_error(size: int) -> None:
    with pytest.raises(ValueError, match=f"wanted a size of at least 1, got {size}"):
        KeyedPermutation(size, (0,))
