import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.words import separation as module
from rrnn_lit.words.separation import Mode, Separation, separate
from rrnn_lit.words.special import SPECIAL_LABELS

Rows = npt.NDArray[np.float16]
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def dictionary(rows: npt.ArrayLike, seed: int = 7) -> tuple[list[str], Rows]:
    """Return words named w0, w1, ... with these rows, and the labels with random ones."""
    words_VW = np.asarray(rows, dtype=np.float16)
    labels_VW = np.random.default_rng(seed).standard_normal((21, words_VW.shape[1]))
    words = [f"w{i}" for i in range(len(words_VW))]
    return [*words, *SPECIAL_LABELS], np.concatenate([words_VW, labels_VW.astype(np.float16)])


def cosines_of(rows: Rows) -> npt.NDArray[np.float64]:
    units = rows.astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    cosine = units @ units.T
    np.fill_diagonal(cosine, -1)
    return np.asarray(cosine)


def crowded(seed: int, number: int, word_dim: int, shared: float) -> Rows:
    generator = np.random.default_rng(seed)
    lengths = generator.uniform(0.5, 4, (number, 1))
    rows = generator.standard_normal((number, word_dim)) + shared
    return (rows * lengths).astype(np.float16)


def test_by_hand_in_the_plane() -> None:
    # 20 degrees apart, lengths 1 and 2; 60 degrees have the cosine 0.5
    angles = np.radians([100, 120])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[1], [2]]
    words = ["four", "six", *SPECIAL_LABELS]
    stored = np.concatenate([rows, np.tile([[1.0, -1.0]], (21, 1))]).astype(np.float16)
    separated, report = separate(words, stored, Separation("groups", 0.5))
    turned = np.degrees(np.arctan2(separated[:2, 1], separated[:2, 0]))
    np.testing.assert_allclose(turned, [80, 140], atol=0.1)  # 0.001 of cosine to spare
    np.testing.assert_allclose(np.linalg.norm(separated[:2].astype(float), axis=1), [1, 2], 1e-3)
    np.testing.assert_array_equal(separated[2:], stored[2:])
    assert report["pairs_above_threshold"] == {"before": 1, "after": 0}
    assert report["largest_cosine"]["before"] == pytest.approx(np.cos(np.radians(20)), abs=1e-3)
    assert report["largest_cosine"]["after"] == pytest.approx(0.5, abs=2e-3)
    assert report["words_moved"] == 2
    assert report["mean_angle_of_moved"] == pytest.approx(20, abs=0.1)


@given(
    seed=st.integers(0, 1_000),
    number=st.integers(2, 40),
    word_dim=st.integers(12, 40),
    shared=st.floats(0, 3),
    threshold=st.floats(0.4, 0.95),
)
def test_all_pairs_end_at_the_threshold_with_lengths_kept(
    seed: int, number: int, word_dim: int, shared: float, threshold: float
) -> None:
    words, stored = dictionary(crowded(seed, number, word_dim, shared))
    separation = Separation("all", threshold)
    separated, report = separate(words, stored, separation)
    before, after = cosines_of(stored), cosines_of(separated)
    assert after[:number].max() <= threshold + 1e-5
    assert report["pairs_above_threshold"]["after"] == 0
    assert report["pairs_above_threshold"]["before"] == np.triu(before > threshold)[:number].sum()
    lengths = np.linalg.norm(separated.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(stored.astype(np.float64), axis=1), 1e-3)
    far = before.max(axis=1) < threshold - 0.3
    np.testing.assert_array_equal(separated[far], stored[far])
    np.testing.assert_array_equal(separated[number:], stored[number:])  # labels
    again, second = separate(words, separated, separation)
    np.testing.assert_array_equal(again, separated)
    assert second["words_moved"] == 0


@pytest.mark.parametrize("copies", [2, 7])
def test_duplicates_and_multiples_are_pushed_apart_as_well(copies: int) -> None:
    rows = crowded(0, 30, 24, 0.0)
    rows[:copies] = rows[0] * np.float16(2) ** np.arange(copies, dtype=np.float16)[:, None]
    words, stored = dictionary(rows)
    stored[-3] = stored[20]  # the label moves for nobody
    separated, report = separate(words, stored, Separation("all", 0.8))
    assert report["largest_cosine"]["before"] == pytest.approx(1, abs=1e-5)
    assert cosines_of(separated)[:30].max() <= 0.8 + 1e-5
    np.testing.assert_array_equal(separated[30:], stored[30:])
    assert (separated[20] != stored[20]).any()


def test_groups_leave_other_words_alone_however_near() -> None:
    rows = crowded(1, 30, 24, 2.0)
    words, stored = dictionary(rows)
    words[:12] = [*DIGITS, "Monday", "Tuesday"]
    separated, report = separate(words, stored, Separation("groups", 0.5))
    cosine = cosines_of(separated)
    assert cosine[:10, :10].max() <= 0.5 + 1e-5
    assert cosine[10, 11] <= 0.5 + 1e-5
    np.testing.assert_array_equal(separated[12:], stored[12:])
    assert report["words_of_groups"] == {"number words": 10, "months": 0, "weekdays": 2}
    assert report["words_moved"] == 12
    assert cosines_of(stored)[:10, 10:12].max() > 0.5  # pairs across groups were not looked at


@pytest.mark.parametrize("mode", ["groups", "all"])
def test_without_near_words_every_bit_stays(mode: Mode) -> None:
    words, stored = dictionary(np.eye(30) * 3)
    separated, report = separate(words, stored, Separation(mode, 0.9))
    np.testing.assert_array_equal(separated, stored)
    assert report["words_moved"] == 0
    assert report["share_of_10_neighbours_kept"] == {"moved_words": None, "other_words": 1.0}


def test_the_order_of_rows_decides_nothing_where_no_two_are_parallel() -> None:
    words, stored = dictionary(crowded(2, 25, 16, 1.5))
    order = np.concatenate([np.random.default_rng(0).permutation(25), np.arange(25, 46)])
    one, _ = separate(words, stored, Separation("all", 0.6))
    other, _ = separate([words[i] for i in order], stored[order], Separation("all", 0.6))
    np.testing.assert_array_equal(other, one[order])


@pytest.mark.parametrize("most", [0, 40, 10_000])
def test_lists_and_products_of_all_pairs_end_at_the_threshold(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LISTED_SHARE", 1.0)  # of all pairs
    monkeypatch.setattr(module, "_MOST_LISTED", most)
    monkeypatch.setattr(module, "_MANY", 10)
    words, stored = dictionary(crowded(3, 60, 20, 1.5))
    separated, report = separate(words, stored, Separation("all", 0.5))
    assert report["pairs_above_threshold"]["before"] > 1_000
    assert cosines_of(separated)[:60].max() <= 0.5 + 1e-5


def test_the_input_is_not_changed() -> None:
    words, stored = dictionary(crowded(4, 10, 16, 2.0))
    copy = stored.copy()
    separate(words, stored, Separation("all", 0.5))
    np.testing.assert_array_equal(stored, copy)


@pytest.mark.parametrize("mode", ["groups", "all"])
def test_more_words_than_the_dimension_has_room_for_are_an_error(mode: Mode) -> None:
    words, stored = dictionary(crowded(5, 10, 2, 1.0))
    words[:10] = DIGITS
    with pytest.raises(ValueError, match=r"wanted a cosine that \S+ near words") as caught:
        separate(words, stored, Separation(mode, 0.5))
    assert "of dimension 2 can keep, got 0.5" in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "threshold", "message"),
    [
        ("some", 0.5, "words.separation: wanted none, groups or all, got 'some'"),
        ("all", 1.0, r"words.separation_threshold: wanted a cosine in \[0, 1\), got 1.0"),
        ("all", -0.1, r"words.separation_threshold: wanted a cosine in \[0, 1\), got -0.1"),
        ("none", float("nan"), r"words.separation_threshold: wanted a cosine in \[0, 1\)"),
    ],
)
def test_bad_settings_name_the_option(mode: Mode, threshold: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Separation(mode, threshold)
