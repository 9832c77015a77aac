from pathlib import Path

import pytest

from rrnn_lit.text.corrections import correct_spelling, read_corrections


def test_wrong_tokens_are_replaced_once(tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("recieve\treceive\n\nalot\ta lot\nlot\tlots\n", encoding="utf-8")
    corrections = read_corrections(str(table))
    tokens = correct_spelling(["I", "recieve", "alot", "of", "lot"], corrections)
    assert tokens == ["I", "receive", "a", "lot", "of", "lots"]


def test_without_a_file_nothing_changes() -> None:
    assert correct_spelling(["recieve"], read_corrections(None)) == ["recieve"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("good\tfine\nno tab here\n", "line 2: wanted wrong<TAB>right"),
        ("two words\tone\n", "line 1: wanted"),
        ("wrong\t\n", "line 1: wanted"),
        ("cafe\tcafé\n", "line 1: wanted"),
        ("a\tb\tc\n", "line 1: wanted"),
        ("wrong\tone  two\n", "line 1: wanted"),
        ("wrong\tright\nwrong\tleft\n", "line 2: 'wrong' again"),
    ],
)
def test_bad_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_corrections(str(table))


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"text.corrections: cannot read .*missing"):
        read_corrections(str(tmp_path / "missing"))
    table = tmp_path / "latin.tsv"
    table.write_bytes(b"caf\xe9\tcafe\n")
    with pytest.raises(ValueError, match=r"text.corrections: cannot read .*latin"):
        read_corrections(str(table))
