from pathlib import Path

import pytest

from rrnn_lit.evaluation.report_raw_text import measure_raw_text
from tests.codec.parts import tiny_parts

RAW = """\
word1 word2, word3
word1 word2 word3.

  word4 (word5)
word1 unheard word2
word1 2 word3
"""


def test_shares_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "raw.txt"
    too_long = " ".join(["word1"] * 20)
    path.write_text(f"{RAW}{too_long}\n", encoding="utf-8")
    found = measure_raw_text(tiny_parts(), path)
    assert found.num_sentences == 6
    assert (found.unchanged.part, found.unchanged.whole) == (2, 6)
    assert found.unchanged_but_stop.part == 3
    assert found.dropped.part == 1
    # a digit becomes a number word, and neither it nor `unheard` is in the dictionary
    assert found.with_unknown_word.part == 2
    assert found.note is None


def test_a_file_without_sentences_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "raw.txt"
    path.write_text("\n \n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"--raw: wanted a sentence a line in .*, got none"):
        measure_raw_text(tiny_parts(), path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "raw.bin"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="raw.bin, line 1: wanted UTF-8"):
        measure_raw_text(tiny_parts(), path)
