import numpy as np
import pytest

from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.evaluation.probe_sts import (
    COMPRESSED,
    MEANS,
    OURS,
    OVERLAP,
    RESTORED,
    ScoredPair,
    agreements,
    read_pairs,
    similarities,
)
from tests.codec.parts import tiny_parts

PAIRS = [
    ScoredPair("word1 word2 word3", "word1 word2 word3", 5.0),
    ScoredPair("word1 word2 word3", "word3 word2 word1", 4.0),
    ScoredPair("word1 word2", "word2 word4 word5", 2.0),
    ScoredPair("word6", "word7 word8", 0.5),
]


def test_pairs_are_read_and_blank_lines_passed_over() -> None:
    lines = ["a b\tc\t1", "", "d\te f\t-2.5e0"]
    assert list(read_pairs(lines, "f")) == [
        ScoredPair("a b", "c", 1),
        ScoredPair("d", "e f", -2.5),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a\tb", "line 2: wanted SENTENCE<tab>SENTENCE<tab>NUMBER, got 2 fields"),
        ("a\tb\t1\t2", "line 2: .*, got 4 fields"),
        ("a\tb\thigh", "line 2: .*, got 'high' for the number"),
        ("a\tb\tnan", "line 2: .*, got 'nan' for the number"),
        (" \tb\t1", "line 2: .*, got an empty sentence"),
    ],
)
def test_lines_that_are_no_pair_are_named(line: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"f.tsv, {problem}"):
        list(read_pairs(["a\tb\t1", line], "f.tsv"))


def test_headings_are_recognised() -> None:
    with pytest.raises(ValueError, match="line 1: .*; take out a line of headings"):
        list(read_pairs(["first\tsecond\tscore"], "f.tsv"))


def test_each_method_does_what_it_says() -> None:
    codec = SentenceCodec(tiny_parts(compressor=True))
    found = similarities(codec, PAIRS, compressed=True, batch_size=8)
    assert list(found) == [OURS, COMPRESSED, RESTORED, MEANS, OVERLAP]
    first, second = (codec.encode([text])[0] for text in ("word1 word2", "word2 word4 word5"))
    expected = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert found[OURS][2] == pytest.approx(expected, rel=1e-4)
    short = codec.compress(np.stack([first, second])).astype(np.float64)
    expected = short[0] @ short[1] / np.linalg.norm(short[0]) / np.linalg.norm(short[1])
    assert found[COMPRESSED][2] == pytest.approx(expected, rel=1e-4)
    for method in found:
        assert found[method][0] == pytest.approx(1, abs=1e-3)
    assert found[MEANS][1] == pytest.approx(1)  # without order
    assert found[OURS][1] < 0.999  # with it
    np.testing.assert_allclose(found[OVERLAP], [1, 1, 0.25, 0])


def test_agreements_join_the_blocks() -> None:
    scores = np.array([pair.score for pair in PAIRS])
    (row,) = agreements({OVERLAP: [scores[:3], scores[3:]]}, scores)
    assert row.method == OVERLAP
    assert row.pearson.value == pytest.approx(1)
    assert row.spearman.value == pytest.approx(1)
    assert row.pearson.num_pairs == 4
