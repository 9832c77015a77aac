import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest

from rrnn_lit.codec.text_lines import blocks_of, read_lines

TEXT = "a b\n\n c \r\nd\u2028e\x85\n你好\n\nlast"
LINES = ["a b", "", " c ", "d\u2028e\x85", "你好", "", "last"]


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("t.txt", TEXT.encode()),
        ("t.GZ", gzip.compress(TEXT.encode(), mtime=0)),
        ("t.xz", lzma.compress(TEXT.encode())),
        ("t.bz2", bz2.compress(TEXT.encode())),
    ],
)
def test_every_line_is_read_blank_ones_too(tmp_path: Path, name: str, packed: bytes) -> None:
    (tmp_path / name).write_bytes(packed)
    assert list(read_lines(str(tmp_path / name))) == LINES


def test_an_empty_file_has_no_line(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"")
    assert list(read_lines(str(tmp_path / "t.txt"))) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.txt", b"a\nb\xff\n", r"t.txt, line 2: wanted UTF-8, got byte 0xff at position 1"),
        ("t.txt", b"a\n" + b"x" * (1 << 20), r"line 2: .* a line of 1048576 bytes or more"),
        ("t.gz", b"no gzip", r"t.gz: wanted a whole and readable file"),
        (
            "t.gz",
            gzip.compress(b"a\n" * 99, mtime=0)[:-9],
            r"t.gz: wanted a whole and readable file",
        ),
        ("t.xz", b"no xz", r"t.xz: wanted a whole and readable file"),
        ("t.bz2", b"no bz2", r"t.bz2: wanted a whole and readable file"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(read_lines(str(tmp_path / name)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted a text file, got no such file"):
        list(read_lines(str(tmp_path / "t.txt")))


def test_a_folder_or_a_pipe_is_no_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted a text file, got a folder"):
        list(read_lines(str(tmp_path)))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="wanted a text file, got a pipe or device"):
        list(read_lines(str(tmp_path / "pipe")))


def test_the_mark_in_front_of_utf8_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a b\nc\n\ufeffd\n", encoding="utf-8-sig")
    assert list(read_lines(str(tmp_path / "t.txt"))) == ["a b", "c", "\ufeffd"]


def test_blocks_keep_all_lines() -> None:
    assert list(blocks_of(LINES, 3)) == [LINES[:3], LINES[3:6], LINES[6:]]
    assert list(blocks_of([], 3)) == []
