from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rrnn_lit.codec.bundle import read_bundle, write_bundle
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.codec.raw_text import RawText
from rrnn_lit.data.prepare import prepare
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.token_store import SPLITS
from rrnn_lit.text.pipeline import TextSettings
from rrnn_lit.training.prepared_text import prepared_text
from tests.codec.parts import tiny_parts
from tests.data.conftest import make_config, sentences, silent

KNOWN = ["don't", "mp3", "old_mill", "old_mill_lane", "the", "EOS_list"]


def parts_with(max_words: int = 60, **fields: Any) -> CodecParts:
    text = TextSettings("treebank", 0.0, None, max_words)
    known = "".join(f"{word}\n" for word in KNOWN)
    chosen: dict[str, Any] = {"text": text, "known_words": known, **fields}
    return replace(tiny_parts(), **chosen)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("They don't have the mp3.", ["They", "don't", "have", "the", "mp3"]),
        ("By the old mill lane", ["By", "the", "old_mill_lane"]),
        ("By the old mill, lane", ["By", "the", "old_mill", ",", "lane"]),
        ("EOS and UNK", ["EOS_", "and", "UNK_"]),
    ],
)
def test_known_words_decide(sentence: str, words: list[str]) -> None:
    assert RawText(parts_with())(sentence) == words


def test_without_known_words_no_phrase_is_merged() -> None:
    raw_text = RawText(parts_with(known_words=None))
    assert raw_text("By the old mill lane") == ["By", "the", "old", "mill", "lane"]
    assert raw_text("They don't") == ["They", "don't"]


def test_phrases_that_are_not_whole_are_cut_into_words() -> None:
    raw_text = RawText(parts_with(whole_phrases="old_mill\n"))
    assert raw_text("old mill, old mill lane") == ["old_mill", ",", "old", "mill", "lane"]
    assert raw_text("An EOS list") == ["An", "EOS_", "list"]  # no reserved word comes of a cut


def test_a_sentence_too_long_after_the_cut_is_dropped_as_in_preparation() -> None:
    assert RawText(parts_with(4))("the old mill lane") == ["the", "old_mill_lane"]
    assert RawText(parts_with(4, whole_phrases=""))("the old mill lane") is None
    assert RawText(parts_with(5, whole_phrases=""))("the old mill lane") is not None


def test_corrections_are_made() -> None:
    raw_text = RawText(parts_with(corrections={"teh": ["the"], "alot": ["a", "lot"]}))
    assert raw_text("teh boats alot") == ["the", "boats", "a", "lot"]


def test_a_dropped_sentence_has_no_words() -> None:
    assert RawText(parts_with())("   ") is None


@pytest.mark.parametrize("listed", [False, True])
def test_raw_sentences_get_the_words_of_preparation(tmp_path: Path, listed: bool) -> None:
    """Through the bundle: known words, rare phrases, corrections, contractions, digits."""
    text, word_list = tmp_path / "text.txt", tmp_path / "list.txt"
    corrections = tmp_path / "corrections.tsv"
    lines = list(dict.fromkeys(sentences(0, 600)))
    lines += ["The red boats of a tired clerk didn't wait", "At the fair of my aunt he hid"]
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    known = ["didn't", "red_boats", "tired_clerk", "well-known", "small_house", "the_fair_of_my"]
    word_list.write_text("\n".join(known) + "\n", encoding="utf-8")
    corrections.write_text("aunt\tuncle\nclerk\toffice clerk\n", encoding="utf-8")
    options: dict[str, Any] = {"word_list": str(word_list)} if listed else {}
    config = make_config(tmp_path / "out", [text], min_count=30, **options)
    config = replace(config, text=replace(config.text, corrections=str(corrections)))
    prepare(config, silent())
    data = PreparedData(tmp_path / "out")
    made = prepared_text(
        data.folder,
        data.manifest,
        data.word_vectors.words,
        None,  # the folder keeps it
        corrections,
    )
    parts = replace(
        tiny_parts(),
        text=made.settings,
        known_words=made.known_words,
        whole_phrases=made.whole_phrases,
        corrections=made.corrections,
    )
    write_bundle(parts, tmp_path / "bundle")
    raw_text = RawText(read_bundle(tmp_path / "bundle"))
    words = [raw_text(line) for line in lines]
    ids = {tuple(data.word_vectors.encode(found)) for found in words if found is not None}
    assert ids == stored(data)
    assert made.notes == ()
    if listed:
        assert any("red_boats" in found for found in words if found)
        assert made.whole_phrases is not None
        assert "red_boats" in made.whole_phrases
        assert "the_fair_of_my" not in made.whole_phrases  # too rare: cut


def stored(data: PreparedData) -> set[tuple[int, ...]]:
    """Return all sentences of a prepared folder."""
    stores = [data.store(split) for split in SPLITS]
    return {
        tuple(np.asarray(store.sentence(number)).tolist())
        for store in stores
        for number in range(store.num_sentences)
    }
