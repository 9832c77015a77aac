from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rrnn_lit.bench.codec import CodecOptions, run
from rrnn_lit.bench.codec_data import made_up_parts, made_up_sentences, true_vectors, true_words
from rrnn_lit.bench.result import Row
from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.sentence_codec import SentenceCodec

TINY = CodecOptions(
    hidden_size=8, num_words=16, sentences=64, vocab_size=1_000, word_dim=8, repeats=1
)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return run(TINY)


def test_each_table_has_ours_first(rows: list[Row]) -> None:
    tables: dict[str, str] = {}
    for row in rows:
        tables.setdefault(str(row.sizes), row.peer)
    assert list(tables.values())[0] == "ours"
    assert all(peer.startswith("ours") for peer in tables.values())
    assert len(tables) == 4


def test_correctness_stands_beside_each_time(rows: list[Row]) -> None:
    correct = {row.peer: row.correct for row in rows if row.seconds is not None}
    assert len(correct) == len({row.peer for row in rows})
    assert correct["rrnn prepare"] == "64 of 64 as prepared"
    assert float(correct["one at a time float32"].split()[2]) < 1e-5
    assert 1e-5 < float(correct["one at a time bfloat16"].split()[2]) < 0.1
    assert correct["ours float32, given length"].startswith("0 of ")
    assert all("sentences a second" in row.note for row in rows)


def test_made_up_text_has_the_words_that_were_drawn() -> None:
    parts = made_up_parts(8, 1_000, 8, 0)
    sentences = made_up_sentences(parts, 64, 20, 0)
    words = SentenceCodec(parts).words(sentences)
    assert {len(found) + 1 for found in words} == {len(words[0]) + 1}
    known = set(parts.word_vectors.words) | {"it", "s"}
    assert known.issuperset(word for found in words for word in found)


def test_a_bundle_and_a_text_are_taken(tmp_path: Path) -> None:
    write_bundle(made_up_parts(12, 1_000, 8, 1), tmp_path / "bundle")
    (tmp_path / "t.txt").write_text("etaoi\n" * 64)
    options = replace(TINY, bundle=str(tmp_path / "bundle"), text=str(tmp_path / "t.txt"))
    rows = run(options)
    assert {row.sizes.get("sentence_vector_size", 12) for row in rows} == {12}
    assert {row.sizes["average_words"] for row in rows} == {2}
    with pytest.raises(ValueError, match="--text: wanted 65 lines, got 64"):
        run(replace(options, sentences=65))


def test_truth_is_what_float64_says() -> None:
    parts = made_up_parts(8, 1_000, 8, 0)
    words = [["etaoi", "and"], []]
    vectors = true_vectors(parts, words)
    assert vectors.dtype == np.float64
    codec = SentenceCodec(parts)
    np.testing.assert_allclose(codec.encode_words(words), vectors, atol=1e-5)
    lengths = [3, 1]
    found = true_words(parts, vectors.astype(np.float32), lengths)
    assert found == codec.decode_words(vectors, lengths)


@pytest.mark.parametrize(
    "options", [{"num_words": 15}, {"sentences": 63}, {"repeats": 0}, {"device": "tpu"}]
)
def test_bad_sizes_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"--{next(iter(options))}: wanted"):
        CodecOptions(**options)
