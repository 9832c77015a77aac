from dataclasses import replace
from pathlib import Path

import pytest

from rrnn_lit.bench.text_lines import make_text_lines
from rrnn_lit.bench.text_speed import TextOptions, run
from rrnn_lit.text.language import are_other_languages

TINY = TextOptions(sentences=10, warm_up=5, repeats=1)


def test_words_and_counts_stand_beside_each_time() -> None:
    rows = run(TINY)
    correct = {row.peer: row.correct for row in rows}
    assert correct["ours"] == correct["every step, whole sentence"] == "10 of 10 the same"
    assert correct["nltk"] == correct["py3langid"] == "a part of it"
    assert all("sentences a second" in row.note and row.seconds for row in rows)


def test_made_up_sentences_are_taken_for_english() -> None:
    lines = make_text_lines(200, 0)
    assert len(set(lines)) == 200
    assert sum(are_other_languages(lines, 0.8)) <= 4
    assert 100 < sum(map(len, lines)) / 200 < 200


def test_a_text_and_known_words_are_taken(tmp_path: Path) -> None:
    text, known = tmp_path / "text.txt", tmp_path / "known.txt"
    text.write_text("We saw the ferry.\n" * 35, encoding="utf-8")
    known.write_text("the_ferry\nsaw\n", encoding="utf-8")
    options = replace(TINY, text=str(text), known_words=str(known))
    sizes = run(options)[0].sizes
    assert (sizes["known_words"], sizes["average_characters"]) == (2, 17)
    with pytest.raises(ValueError, match="--text: wanted 36 lines, got 35"):
        run(replace(options, warm_up=6))
