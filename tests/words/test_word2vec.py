import gzip
import lzma
import struct
from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.words.word2vec import read_vectors, read_vocabulary

ROWS = {"the": [1.0, 2.0], "\x85": [0.5, -1.0], "New_York": [3.0, 4.0], "\u2028": [0.0, 0.0]}


def binary(rows: list[tuple[str, list[float]]], header: str | None = None) -> bytes:
    head = header if header is not None else f"{len(rows)} {len(rows[0][1])}"
    body = b"".join(w.encode() + b" " + struct.pack(f"{len(v)}f", *v) + b"\n" for w, v in rows)
    return head.encode() + b"\n" + body


def text(rows: list[tuple[str, list[float]]]) -> bytes:
    lines = [f"{w} {' '.join(map(str, v))}" for w, v in rows]
    return "\n".join([f"{len(rows)} {len(rows[0][1])}", *lines, ""]).encode()


def good(name: str) -> bytes:
    content = binary(list(ROWS.items())) if ".bin" in name else text(list(ROWS.items()))
    if name.endswith(".gz"):
        return gzip.compress(content)
    return lzma.compress(content) if name.endswith(".xz") else content


NAMES = ["a.bin", "a.bin.gz", "a.txt", "a.w2v.txt", "a.vec", "a.vec.xz", "a.txt.gz"]


@pytest.mark.parametrize("name", NAMES)
def test_wanted_words_come_in_file_order_with_their_vectors(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(good(name))
    words, vectors_VW = read_vectors(path, {"New_York", "absent", "\x85"}, word_dim=2)
    assert words == ["\x85", "New_York"]
    np.testing.assert_array_equal(vectors_VW, np.array([[0.5, -1.0], [3.0, 4.0]], np.float32))


@pytest.mark.parametrize("name", NAMES)
def test_vocabulary_keeps_words_that_look_like_line_ends(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(good(name))
    assert read_vocabulary(path) == list(ROWS)


def test_without_a_wanted_set_every_row_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(good("a.bin"))
    words, vectors_VW = read_vectors(path, None, None)
    assert dict(zip(words, vectors_VW.tolist(), strict=True)) == ROWS


def test_only_wanted_rows_are_checked_so_one_bad_stranger_does_not_stop_us(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(binary([("bad", [np.nan, 0.0]), ("fine", [1.0, 1.0])]))
    assert read_vectors(path, {"fine"}, 2)[0] == ["fine"]


A, B = ("a", [1.0, 2.0]), ("b", [3.0, 4.0])
BAD = {
    "header lie": ("x.bin", binary([A, B], "2000000000 300"), "header promises 2000000000 x 300"),
    "lie in gz": ("x.bin.gz", gzip.compress(binary([A], "900 2")), "header promises 900 x 2"),
    "cut": (
        "x.bin",
        binary([("a" * 30, A[1]), B])[:-6],
        "wanted 2 word vectors .* got a cut file",
    ),
    "cut text": ("x.txt", text([("a" * 30, A[1]), B])[:-9], "wanted 2 word vectors|2 numbers"),
    "cut gz": ("x.bin.gz", gzip.compress(binary([A, B]))[:-12], "Compressed file ended"),
    "nan": ("x.bin", binary([A, ("b", [np.nan, 1.0])]), "got NaN or inf for 'b'"),
    "inf": ("x.txt", text([A, ("b", [float("inf"), 1.0])]), "got NaN or inf for 'b'"),
    "twice": ("x.bin", binary([A, B, A]), "got 'a' twice"),
    "short row": ("x.txt", b"2 2\na 1 2\nb 1\n", "wanted 2 numbers in each row, got 1 for 'b'"),
    "no number": ("x.txt", b"1 2\na 1 zwei\n", "wanted word2vec rows in UTF-8"),
    "not utf-8": ("x.bin", b"1 2\n\xff\xfe " + struct.pack("2f", 1, 2), "in UTF-8"),
    "empty": ("x.bin", b"", "got an empty file"),
    "other file": ("x.txt", b"Once upon a time\n", "wanted a first line of two numbers"),
    "no rows": ("x.txt", b"0 300\n", "header of 0 x 300"),
    "not gzip": ("x.bin.gz", b"plain", "wanted a word2vec file, got"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_by_name(tmp_path: Path, case: str) -> None:
    name, content, message = BAD[case]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_vectors(path, {"a", "b", "a" * 30}, None)
    assert name in str(caught.value)


def test_another_dimension_names_the_option(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(good("a.bin"))
    with pytest.raises(ValueError, match=r"words.word_dim: wanted vectors of 300, got 2"):
        read_vectors(path, {"the"}, 300)


@pytest.mark.parametrize("name", ["x.kv", "x.model", "x.pkl", "x.npy", "x"])
def test_files_that_can_run_code_are_refused_unopened(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"wanted a word2vec file named .bin, .txt or .vec"):
        read_vectors(tmp_path / name, None, None)  # not even looked for


@pytest.mark.parametrize(("name", "what"), [("none.bin", "no such file"), ("dir.bin", "a folder")])
def test_missing_file_and_folder(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "dir.bin").mkdir()
    with pytest.raises(ValueError, match=f"got {what}"):
        read_vocabulary(tmp_path / name)
