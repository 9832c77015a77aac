from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.decode_cli import main
from rrnn_lit.codec.sentence_codec import SentenceCodec
from tests.codec.parts import tiny_parts

CODEC = SentenceCodec(tiny_parts())
VECTORS = np.random.default_rng(0).uniform(-1, 1, (70, 24)).astype(np.float32)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("decode") / "bundle"
    write_bundle(CODEC.parts, folder)
    return str(folder)


def vector_file(folder: Path, vectors: np.ndarray = VECTORS) -> str:
    np.save(folder / "v.npy", vectors, allow_pickle=False)
    return str(folder / "v.npy")


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@pytest.mark.parametrize("batch_size", ["1", "1000"])
def test_each_row_has_a_line(tmp_path: Path, bundle: str, batch_size: str) -> None:
    out = tmp_path / "t.txt"
    options = [bundle, vector_file(tmp_path), "--out", str(out), "--batch-size", batch_size]
    assert main(options) == 0
    assert lines_of(out) == CODEC.decode(VECTORS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.txt", "v.npy"]


def test_words_as_they_are(tmp_path: Path, bundle: str) -> None:
    out = tmp_path / "t.txt"
    assert main([bundle, vector_file(tmp_path), "--out", str(out), "--raw-words"]) == 0
    assert lines_of(out) == [" ".join(words) for words in CODEC.decode_words(VECTORS)]


def test_given_lengths(tmp_path: Path, bundle: str) -> None:
    out, vectors = tmp_path / "t.txt", vector_file(tmp_path)
    lengths = [1 + i % 12 for i in range(70)]
    (tmp_path / "lengths").write_text("".join(f"{n}\n" for n in lengths))
    options = [bundle, vectors, "--out", str(out), "--raw-words", "--batch-size", "1"]
    assert main([*options, "--num-words", str(tmp_path / "lengths")]) == 0
    assert lines_of(out) == [" ".join(words) for words in CODEC.decode_words(VECTORS, lengths)]
    assert main([*options, "--num-words", "3"]) == 0
    assert lines_of(out) == [" ".join(w) for w in CODEC.decode_words(VECTORS, [3] * 70)]
    assert main([*options, "--max-steps", "20"]) == 0
    assert lines_of(out) == [" ".join(w) for w in CODEC.decode_words(VECTORS, max_steps=20)]


def test_a_bad_row_is_named_and_no_file_is_left(
    tmp_path: Path, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = VECTORS.copy()
    vectors[50, 3] = np.nan
    path, out = vector_file(tmp_path, vectors), str(tmp_path / "t.txt")
    assert main([bundle, path, "--out", out, "--batch-size", "1"]) == 65
    assert "v.npy, row 51: wanted finite numbers, got nan" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["v.npy"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["B", "v.txt"], 64, "VECTORS: wanted a file .npy or .parquet"),
        (["B", "V", "--num-words", "3", "--max-steps", "3"], 64, "not allowed with"),
        (["B", "V", "--num-words", "missing"], 65, "got no such file: missing"),
        (["B", "V", "--out", "missing/t.txt"], 74, "--out: wanted a file in a folder"),
        (["B", "missing.npy"], 65, "wanted a file of vectors, got no such file"),
        (["B", "N"], 65, "narrow.npy: vectors: wanted 24 numbers in each, got 5"),
        (
            ["B", "V", "--num-words", "-1"],
            65,
            "wanted a number or a text file for --num-words, got no",
        ),
        (["B", "V", "--batch-size", "9" * 30], 64, "--batch-size: wanted a whole number of"),
    ],
)
def test_mistakes_are_one_line(
    options: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    bundle: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    np.save(tmp_path / "narrow.npy", VECTORS[:, :5], allow_pickle=False)
    narrow = str(tmp_path / "narrow.npy")
    places = {"B": bundle, "V": vector_file(tmp_path), "N": narrow}
    assert main([places.get(option, option) for option in options]) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
