import math

import numpy as np
import pytest

from rrnn_lit.words import pushes
from rrnn_lit.words.exact_units import Units, cosines, shortened
from rrnn_lit.words.pushes import AllPairs, ListedPairs, nudged, push_apart


def at_degrees(*angles: float) -> Units:
    radians = np.radians(angles)
    return shortened(np.stack([np.cos(radians), np.sin(radians)], axis=1))


def degrees_of(units: Units) -> list[float]:
    return [float(angle) for angle in np.degrees(np.arctan2(units[:, 1], units[:, 0]))]


def crowd(seed: int, number: int, word_dim: int) -> Units:
    generator = np.random.default_rng(seed)
    return shortened(generator.standard_normal((number, word_dim)) + 1.5)


def test_two_words_turn_by_the_same_angle_until_their_cosine_is_the_target() -> None:
    units, left = push_apart(at_degrees(0, 20), AllPairs(2), 0.5, 0.5001)
    assert left == 0
    np.testing.assert_allclose(degrees_of(units), [-20, 40], atol=1e-3)


def test_a_word_that_may_not_move_stays_and_the_other_goes_all_the_way() -> None:
    units, _ = push_apart(at_degrees(0, 20), AllPairs(1), 0.5, 0.501)
    np.testing.assert_allclose(degrees_of(units), [-40, 20], atol=0.1)  # in ever smaller steps


def test_a_crowd_around_an_axis_opens_like_an_umbrella() -> None:
    # cosine c of n such words: sin^2 of the angle to the axis is (1 - c) (n - 1) / n
    number, axis = 3, np.array([0.0, 0.0, 1.0])
    turns = np.arange(number) * 2 * np.pi / number
    flat = np.stack([np.cos(turns), np.sin(turns), np.zeros(number)], axis=1)
    start = shortened(0.9 * axis + math.sqrt(1 - 0.9**2) * flat)
    units, _ = push_apart(start, AllPairs(number), 0.4, 0.401)
    sine = math.sqrt((1 - 0.4) * (number - 1) / number)
    expected = math.sqrt(1 - sine**2) * axis + sine * flat
    np.testing.assert_allclose(units, expected, atol=2e-3)


def test_a_list_of_the_near_pairs_gives_what_all_pairs_give() -> None:
    units = crowd(0, 400, 12)
    near = np.triu(cosines(units, units) > 0.55, 1)
    first, second = np.nonzero(near)
    some = list(ListedPairs(first, second, 400, 380).pulls(units, 0.6, 0.65))
    every = list(AllPairs(380).pulls(units, 0.6, 0.65))
    assert len(some) == len(every) == 2
    for one, other in zip(some, every, strict=True):
        np.testing.assert_array_equal(one.total_A, other.total_A)
        np.testing.assert_array_equal(one.partners_AW, other.partners_AW)
        np.testing.assert_array_equal(one.count_A, other.count_A)
        assert one.num_above == other.num_above > 0


@pytest.mark.parametrize(("rows", "columns"), [(7, 13), (1_000, 1_000)])
def test_blocks_change_no_bit(rows: int, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    units = crowd(1, 60, 9)
    expected, _ = push_apart(units, AllPairs(55), 0.5, 0.501)
    monkeypatch.setattr(pushes, "_ROWS", rows)
    monkeypatch.setattr(pushes, "_COLUMNS", columns)
    np.testing.assert_array_equal(push_apart(units, AllPairs(55), 0.5, 0.501)[0], expected)


def test_words_without_a_near_one_keep_every_bit() -> None:
    units = np.concatenate([crowd(2, 10, 20), -crowd(3, 1, 20)])
    pushed, _ = push_apart(units, AllPairs(11), 0.5, 0.501)
    np.testing.assert_array_equal(pushed[10], units[10])
    assert (pushed[:10] != units[:10]).any(axis=1).all()


def test_it_stops_as_soon_as_few_enough_are_left() -> None:
    units = crowd(4, 40, 20)
    _, none_left = push_apart(units, AllPairs(40), 0.5, 0.501)
    _, some_left = push_apart(units, AllPairs(40), 0.5, 0.501, stop_at=100)
    assert none_left == 0 < some_left <= 100


def test_without_room_pairs_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushes, "MOST_ROUNDS", 60)
    # a circle has room for six words with 60 degrees between them
    assert push_apart(at_degrees(*range(0, 70, 10)), AllPairs(7), 0.5, 0.501)[1] > 0


def test_words_in_one_plane_find_the_room_beside_it() -> None:
    plane = np.zeros((9, 30), dtype=np.float32)
    plane[:, :2] = at_degrees(*range(0, 90, 10))
    units, left = push_apart(plane, AllPairs(9), 0.5, 0.501)
    assert left == 0
    assert np.abs(units[:, 2:]).max() > 0.1


def test_a_nudge_depends_on_the_key_alone_and_is_small() -> None:
    units = np.repeat(crowd(5, 1, 16), 3, axis=0)
    turned = nudged(units, np.array([4, 9, 4]))
    np.testing.assert_array_equal(turned[0], turned[2])
    assert (turned[0] != turned[1]).any()
    assert 0.999 < float(turned[0] @ units[0]) < 1
