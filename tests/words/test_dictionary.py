import numpy as np
import pytest

from rrnn_lit.words.dictionary import (
    Scaling,
    build_dictionary,
    from_file,
    like_vectors,
    names_in_file,
    separated,
)
from rrnn_lit.words.separation import Separation
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.vectors import WordVectors

WORDS = ["pear", "fig", "and", "apple", "nil", "plum", "UNK_"]
RAW = np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)
RAW[4] = 0
COUNTS = {"pear": 2, "fig": 5, "apple": 2, "nil": 9, "plum": 1, "UNK_": 1, "and": 7}
WHITEN = Scaling("whiten", 0.05, 1)


def test_rows_are_by_count_then_name_with_the_special_labels_last() -> None:
    dictionary, _, report = build_dictionary(WORDS, RAW, COUNTS, WHITEN)
    assert dictionary.words == ["fig", "apple", "pear", "UNK_", "plum", *SPECIAL_LABELS]
    assert report["zero_vectors_skipped"] == 1
    assert report["vocab_size"] == 5 + 21


def test_a_corpus_word_with_a_label_s_name_gets_the_random_vector() -> None:
    with_and = build_dictionary(WORDS, RAW, COUNTS, WHITEN)[0]
    rest = [0, 1, 3, 4, 5, 6]
    without = build_dictionary([WORDS[i] for i in rest], RAW[rest], COUNTS, WHITEN)[0]
    np.testing.assert_array_equal(with_and.vectors_VW, without.vectors_VW)


def test_whitened_rows_have_mean_0_and_the_wanted_std_weighted_by_count() -> None:
    dictionary, whitening, _ = build_dictionary(WORDS, RAW, COUNTS, WHITEN)
    rows = np.repeat(dictionary.vectors_VW[:5].astype(np.float64), [5, 2, 2, 1, 1], axis=0)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-4)  # float16 rounding
    np.testing.assert_allclose(rows.std(axis=0), 0.05, rtol=1e-3)
    raw = whitening.invert(dictionary.vectors_VW[:1])
    np.testing.assert_allclose(raw, RAW[1:2], rtol=1e-2, atol=1e-3)


def test_special_vectors_have_the_statistics_of_the_words() -> None:
    wide = np.random.default_rng(1).normal(2.0, 3.0, (5, 2000)).astype(np.float32)
    words = ["a1", "b1", "c1", "d1", "e1"]
    counts = dict.fromkeys(words, 1)
    special = build_dictionary(words, wide, counts, WHITEN)[0].vectors_VW[-21:]
    np.testing.assert_allclose(special.astype(np.float64).std(), 0.05, rtol=0.02)  # 42,000 draws


def test_unit_rows_have_length_1() -> None:
    dictionary, whitening, _ = build_dictionary(WORDS, RAW, COUNTS, Scaling("unit", 0.05, 1))
    lengths = np.linalg.norm(dictionary.vectors_VW.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-3)  # float16 rounding
    np.testing.assert_array_equal(whitening.factor, 1)


def test_none_keeps_raw_vectors_rounded_to_16_bits() -> None:
    dictionary = build_dictionary(WORDS, RAW, COUNTS, Scaling("none", 0.05, 1))[0]
    np.testing.assert_array_equal(dictionary.vectors_VW[0], RAW[1].astype(np.float16))


def test_words_that_do_not_occur_are_kept_but_weigh_nothing() -> None:
    counts = {**COUNTS, "plum": 0}
    dictionary, whitening, _ = build_dictionary(WORDS, RAW, counts, WHITEN)
    assert "plum" in dictionary.words
    rest = [0, 1, 2, 3, 4, 6]
    other = build_dictionary([WORDS[i] for i in rest], RAW[rest], counts, WHITEN)[1]
    np.testing.assert_array_equal(whitening.mean, other.mean)


def test_another_seed_changes_special_vectors_only() -> None:
    one = build_dictionary(WORDS, RAW, COUNTS, WHITEN)[0].vectors_VW
    two = build_dictionary(WORDS, RAW, COUNTS, Scaling("whiten", 0.05, 2))[0].vectors_VW
    np.testing.assert_array_equal(one[:5], two[:5])
    assert (one[5:] != two[5:]).any(axis=1).all()


def test_too_few_words_are_an_error() -> None:
    with pytest.raises(ValueError, match="vocabulary too small: wanted at least 2 .*, got 1"):
        build_dictionary(WORDS, RAW, {"fig": 3, "nil": 2, "and": 5}, WHITEN)


def test_like_vectors_are_reported() -> None:
    rows = np.random.default_rng(2).standard_normal((4, 3)).astype(np.float16)
    rows[2] = rows[0] * 2
    special = np.random.default_rng(3).standard_normal((21, 3)).astype(np.float16)
    special[5] = rows[1]
    words = ["w", "x", "y", "z", *SPECIAL_LABELS]
    report = like_vectors(WordVectors(words, np.concatenate([rows, special])))
    assert report["words_like_an_earlier_one"] == 2
    assert report["examples_of_like_words"] == [["w", "y"], ["x", SPECIAL_LABELS[5]]]


def test_opposite_vectors_are_not_alike() -> None:
    rows = np.random.default_rng(2).standard_normal((2 + 21, 3)).astype(np.float16)
    rows[1] = -rows[0]
    report = like_vectors(WordVectors(["w", "x", *SPECIAL_LABELS], rows))
    assert report["words_like_an_earlier_one"] == 0


def test_labels_are_looked_for_under_their_name_in_the_file() -> None:
    assert names_in_file(["pear", "EOS_", "EOS", "UNK", "and", ","]) == {"pear", "EOS"}


def test_words_of_a_file_are_renamed_and_labels_left_out() -> None:
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    words, kept = from_file(["UNK", "pear", "and", "UNK_", "EOS"], rows)
    assert words == ["UNK_", "pear", "EOS_"]
    np.testing.assert_array_equal(kept, rows[[0, 1, 4]])


def test_separation_changes_vectors_and_the_report_of_like_ones_only() -> None:
    rows = np.random.default_rng(2).standard_normal((4 + 21, 30)).astype(np.float16)
    rows[1] = rows[0] * 2
    dictionary = WordVectors(["w", "x", "y", "z", *SPECIAL_LABELS], rows)
    after, changed = separated(dictionary, Separation("all", 0.5))
    assert after.words == dictionary.words
    assert changed["words_like_an_earlier_one"] == 0
    assert changed["separation"]["words_moved"] == 2
    np.testing.assert_array_equal(after.vectors_VW[2:], rows[2:])
