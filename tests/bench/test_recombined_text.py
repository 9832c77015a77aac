from pathlib import Path

import pytest

from rrnn_lit.bench import recombined_text
from rrnn_lit.bench.recombined_text import Halves, made_up_sentences, open_text

SENTENCES = ["One small step for man.", "A giant leap", "too short for", "word"]


def lines(number: int, duplicates: float = 0.0, seed: int = 0) -> list[str]:
    blocks = Halves(made_up_sentences(300, 1)).blocks(number, duplicates, seed)
    return [line for block in blocks for line in block]


def test_a_sentence_is_a_first_and_a_second_half() -> None:
    found = {line for block in Halves(SENTENCES).blocks(300, 0.0, 0) for line in block}
    assert len(found) == 9  # three sentences have two words or more
    assert {"One small giant leap", "A step for man.", "too short for"} <= found


def test_fewer_sentences_are_a_beginning_of_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recombined_text, "BLOCK", 100)
    assert lines(250, 0.2)[:130] == lines(130, 0.2)
    assert lines(250, 0.2) != lines(250, 0.2, seed=1)


def test_about_the_asked_share_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recombined_text, "BLOCK", 1_000)
    assert len(set(lines(10_000, 0.0))) > 9_300  # of 90,000 pairs
    assert 7_000 < len(set(lines(10_000, 0.25))) < 7_700


def test_a_text_without_two_words_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("word\n")
    with pytest.raises(ValueError, match="--text: wanted sentences of two words"):
        open_text(str(tmp_path / "t.txt"), 0)
    with pytest.raises(ValueError, match="--text: wanted a text file, got no such file"):
        open_text("missing.txt", 0)
