from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.evaluation.intervals import share_of_sentences
from rrnn_lit.evaluation.report_content import Column, facts_of
from rrnn_lit.evaluation.report_page import build_page
from rrnn_lit.evaluation.report_pictures import draw_pictures
from rrnn_lit.evaluation.throughput import Speed
from tests.codec.parts import tiny_parts
from tests.evaluation.html_checks import Page, read_page
from tests.evaluation.reports import by_hand, columns_of, content_of

EVIL = "<script>alert(1)</script>"
SPEED = Speed(1234.5, 12345.0, 678.0, 6780.0, 20, 200, 8, 3, 1, "cpu", "float32", 71)


def read(content: dict[str, Any], pairs: list[dict[str, Any]]) -> tuple[Page, str]:
    names = ("side_by_side", "by_length", "by_position", "by_frequency", "by_category")
    text = build_page(content, pairs, dict.fromkeys(names, b"png"))
    return read_page(text), text


@pytest.fixture(scope="module")
def parts() -> CodecParts:
    return tiny_parts(compressor=True)


@pytest.fixture(scope="module")
def page(parts: CodecParts, prepared_folder: Path) -> str:
    content, pairs = content_of(columns_of(parts, prepared_folder), prepared_folder)
    return build_page(content, pairs, draw_pictures(content))


def test_the_page_is_whole_and_needs_nothing_else(page: str) -> None:
    read_page(page)
    assert page.count("data:image/png;base64,") == 5


def test_every_figure_stands_beside_its_facts(page: str, parts: CodecParts) -> None:
    text = read_page(page).text()
    plain = "V 71; width 20; 48 bytes per vector; 10 steps (last weights); seed 0"
    compressed = (
        "V 71; width 20; 16 bytes per vector (compressed); 10 steps (last weights); seed 0"
    )
    sentences = "holdout, 20 of 20 sentences, of at most 12 words with EOS"
    for line in (plain, compressed):
        # top of the page, categories, facts; and below each of the five pictures
        assert text.count(f"{sentences}; {line}") == 3
        assert text.count(line) == 8
    assert text.count(f"Measured on {sentences}. tiny plain: ") == 5
    for part in ("rrnn report runs/tiny", "2026-01-02T03:04:05+00:00", "rrnn_lit 0.1.0"):
        assert part in text


def test_words_names_and_paths_are_escaped(parts: CodecParts, prepared_folder: Path) -> None:
    columns = columns_of(parts, prepared_folder, EVIL)
    content, pairs = content_of(columns, prepared_folder, command=EVIL, data=EVIL)
    for sample in content["samples"]:
        sample["words"][0] = EVIL
        sample["columns"][0]["decoded"][0] = EVIL
        sample["columns"][0]["matched"][0] = False
    pairs[0] |= {"target": EVIL, "decoded": EVIL}
    page, text = read(content, pairs)
    assert "<script" not in text
    assert page.text().count(EVIL) > 10


def test_a_wrong_word_shows_its_cosines_in_text_and_title(
    parts: CodecParts, prepared_folder: Path
) -> None:
    words = parts.word_vectors.words
    evaluated = by_hand([("word1 word2 EOS", "word1 word7 EOS")], words)
    column = Column("tiny", facts_of(parts, "plain", "runs/tiny"), evaluated, SPEED)
    page, text = read(*content_of([column], prepared_folder))
    assert (
        'word1\n<span class="wrong" title="word7 0.5000, wanted word2 0.2500">word7</span>\n'
        "<small>(0.50, word2 0.25)</small>"
    ) in text
    assert "tiny: 1 of 3 wrong" in page.text()
    assert "sentence word1 word2 tiny:" in page.text(), "EOS is not shown"


def test_speed_stands_beside_its_conditions(parts: CodecParts, prepared_folder: Path) -> None:
    evaluated = by_hand([("word1 EOS", "word1 EOS")], parts.word_vectors.words)
    column = Column("tiny", facts_of(parts, "plain", "runs/tiny"), evaluated, SPEED)
    page, _ = read(*content_of([column], prepared_folder))
    text = page.text()
    assert "tiny: encode 1,234 12,345" in text
    assert (
        "median of 3 passes over 20 sentences (200 words), batches of 8, cpu, float32, 1 threads"
    ) in text
    assert "No word is wrong." in text


def test_raw_text_that_is_not_at_hand_is_named(page: str) -> None:
    assert "Not measured: a prepared folder holds words, not raw text." in read_page(page).text()


def test_raw_text_at_hand_is_shown(parts: CodecParts, prepared_folder: Path) -> None:
    content, pairs = content_of(columns_of(parts, prepared_folder), prepared_folder)
    shares = {
        name: share_of_sentences(part, 10)
        for name, part in (
            ("unchanged", 1),
            ("unchanged_but_stop", 6),
            ("dropped", 2),
            ("with_unknown_word", 3),
        )
    }
    content["raw_text"] = {"file": "raw.txt", "num_sentences": 10, "note": "a note", **shares}
    text = read(content, pairs)[0].text()
    assert "10 raw sentences of raw.txt" in text
    assert "a note" in text
    assert "unchanged but for a full stop at the end 60.00%" in text


def test_several_columns_are_compared_with_the_first(page: str) -> None:
    text = read_page(page).text()
    assert "percentage points more than tiny plain, on the same sentences" in text
    assert "difference tiny compressed matched words" in text
