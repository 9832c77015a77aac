import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.codec import decode_cli
from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.encode_cli import main
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.codec.vector_files import reading
from tests.codec.parts import tiny_parts
from tests.codec.streams import piped

LINES = ["word1 word2", "", "word3, (word4)", "\u4f60\u597d", "word5 " * 11, "word6"] * 7
CODEC = SentenceCodec(tiny_parts())


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("encode") / "bundle"
    write_bundle(CODEC.parts, folder)
    return str(folder)


def text_file(folder: Path, lines: list[str]) -> str:
    (folder / "t.txt").write_text("\n".join(lines), encoding="utf-8")
    return str(folder / "t.txt")


def stored(path: str) -> np.ndarray:
    return np.concatenate(list(reading(path, 1_000)))


@pytest.mark.parametrize("name", ["v.npy", "v.parquet"])
@pytest.mark.parametrize("options", [[], ["--batch-size", "1"], ["--vectors", "float16"]])
def test_each_line_has_a_row(tmp_path: Path, bundle: str, name: str, options: list[str]) -> None:
    out = str(tmp_path / name)
    assert main([bundle, text_file(tmp_path, LINES), "--out", out, *options]) == 0
    found = stored(out)
    assert found.dtype == ("float16" if "float16" in options else "float32")
    np.testing.assert_allclose(found, CODEC.encode(LINES), rtol=0, atol=1e-3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.txt", name]


def test_packed_text_and_an_empty_file(tmp_path: Path, bundle: str) -> None:
    (tmp_path / "t.gz").write_bytes(gzip.compress("\n".join(LINES).encode()))
    out = str(tmp_path / "v.npy")
    assert main([bundle, str(tmp_path / "t.gz"), "--out", out]) == 0
    assert np.array_equal(stored(out), CODEC.encode(LINES))
    assert main([bundle, text_file(tmp_path, []), "--out", out]) == 0
    assert stored(out).shape == (0, 24)


def test_words_are_taken_as_they_are(tmp_path: Path, bundle: str) -> None:
    text, out = text_file(tmp_path, ["word1 \t word2,", "", "word3\t"]), str(tmp_path / "v.npy")
    assert main([bundle, text, "--out", out, "--words"]) == 0
    assert np.array_equal(stored(out), CODEC.encode_words([["word1", "word2,"], [], ["word3"]]))


def test_commands_work_in_a_pipe(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"{line}\n" for line in LINES).encode()
    options = [bundle, "-", "--out", "-", "--batch-size", "1"]
    stream = piped(monkeypatch, main, options, text)
    assert stream.count(b"\x93NUMPY") == 2  # blocks of 32
    assert len(np.load(io.BytesIO(stream), allow_pickle=False)) == 32
    printed = piped(monkeypatch, decode_cli.main, [bundle, "-"], stream).decode()
    assert printed.split("\n") == [*CODEC.decode(CODEC.encode(LINES)), ""]


def test_a_long_sentence_is_named_and_no_file_is_left(
    tmp_path: Path, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*["word1"] * 40, "word2 " * 30, "word3"]
    text, out = text_file(tmp_path, lines), str(tmp_path / "v.npy")
    assert main([bundle, text, "--out", out, "--batch-size", "1"]) == 65
    message = capsys.readouterr().err.splitlines()[-1]
    wanted = "line 41: wanted at most 12 words, the end mark included, got 31; --longer encode"
    assert wanted in message
    assert "t.txt" in message
    assert [p.name for p in tmp_path.iterdir()] == ["t.txt"]
    assert main([bundle, text, "--out", out, "--longer", "encode"]) == 0
    assert np.array_equal(stored(out), CODEC.encode(lines, longer="encode"))


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["B", "T", "--out", "v.txt"], 64, "--out: wanted a file .npy or .parquet"),
        (["B", "T"], 64, "the following arguments are required: --out"),
        (["B", "T", "--out", "O", "--batch-size", "0"], 64, "--batch-size: wanted a whole number"),
        (["B", "T", "--out", "O", "--dtype", "int8"], 64, "--dtype: invalid choice"),
        (["B", "T", "--out", "O", "--processes", "x"], 64, "--processes: wanted a whole number"),
        (["B", "T", "--out", "missing/v.npy"], 74, "--out: wanted a file in a folder"),
        (["B", "missing", "--out", "O"], 65, "wanted a text file, got no such file: missing"),
        (["missing", "T", "--out", "O"], 65, "missing"),
        (["B", "T", "--out", "O", "--device", "cuda:99"], 65, "device: wanted one of the"),
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
    places = {"B": bundle, "T": text_file(tmp_path, LINES), "O": str(tmp_path / "v.npy")}
    assert main([places.get(option, option) for option in options]) == code
    line = capsys.readouterr().err
    assert message in line
    assert line.count("\n") == 1
    assert line.startswith("rrnn encode: ")
    assert [p.name for p in tmp_path.iterdir()] == ["t.txt"]


def test_progress_is_told_on_stderr(
    tmp_path: Path, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "v.npy")
    assert main([bundle, text_file(tmp_path, LINES), "--out", out]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("rrnn encode: 42 sentences in ")
