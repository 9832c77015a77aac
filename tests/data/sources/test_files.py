import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from rrnn_lit.data.sources.files import FileSentences, find_files, read_lines

TEXT = "One line.\nA break\x85inside\u2028 is no end.\r\n\n  \nLast without end"
LINES = ["One line.", "A break\x85inside\u2028 is no end.", "", "  ", "Last without end"]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}


@pytest.mark.parametrize("suffix", PACK)
def test_lines_end_at_line_feeds_only(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(PACK[suffix](TEXT.encode()))
    assert list(read_lines(path)) == LINES


def test_blank_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT, newline="\n")
    sentences = FileSentences([path, path])
    assert list(sentences) == 2 * [LINES[0], LINES[1], LINES[4]]
    assert sentences.num_blank == 4
    assert sentences.num_bytes == sentences.total_bytes == 2 * path.stat().st_size


def test_globs_are_sorted_and_no_file_is_read_twice(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.gz"):
        (tmp_path / name).write_text("x")
    found = find_files([str(tmp_path / "c.gz"), str(tmp_path / "*.txt"), str(tmp_path / "a.*")])
    assert [path.name for path in found] == ["c.gz", "a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("none.txt", "no such file"),
        ("*.csv", "got no match of"),
        (".", "got a folder"),
        ("empty.txt", "got 0 bytes"),
    ],
)
def test_bad_inputs_name_option_and_file(tmp_path: Path, pattern: str, message: str) -> None:
    (tmp_path / "empty.txt").touch()
    with pytest.raises(ValueError, match=rf"source.files: .*{message}"):
        find_files([str(tmp_path / pattern)])


def test_no_input_is_an_error() -> None:
    with pytest.raises(ValueError, match="wanted at least one text file, got none"):
        find_files([])


def test_other_encodings_are_refused_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"fine\ncaf\xe9 noir\n")
    with pytest.raises(
        ValueError, match=r"latin.txt, line 2: wanted UTF-8, got byte 0xe9 at posi"
    ):
        list(read_lines(path))


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2"])
def test_cut_and_mislabelled_files_are_errors(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(PACK[suffix](TEXT.encode() * 50)[:-12])
    with pytest.raises(ValueError, match=f"wanted a whole {suffix} file"):
        list(read_lines(path))
    path.write_bytes(TEXT.encode())
    with pytest.raises(ValueError, match=f"wanted a whole {suffix} file"):
        list(read_lines(path))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"ok\n" + b"x" * (1 << 21))
    with pytest.raises(ValueError, match=r"line 2: wanted one sentence a line"):
        list(read_lines(path))
