from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.codec import compress_cli, decompress_cli
from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.sentence_codec import SentenceCodec
from tests.codec.parts import tiny_parts
from tests.codec.streams import piped

CODEC = SentenceCodec(tiny_parts(compressor=True))
VECTORS = np.random.default_rng(0).uniform(-1, 1, (70, 24)).astype(np.float32)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("compress") / "bundle"
    write_bundle(CODEC.parts, folder)
    return str(folder)


def test_vectors_go_there_and_back(tmp_path: Path, bundle: str) -> None:
    there, codes, back = (str(tmp_path / name) for name in ("v.npy", "c.npy", "b.npy"))
    np.save(there, VECTORS, allow_pickle=False)
    assert compress_cli.main([bundle, there, "--out", codes, "--batch-size", "1"]) == 0
    stored = np.load(codes, allow_pickle=False)
    assert stored.dtype == np.float16
    # rounded to fp16 behind products of another number of rows
    np.testing.assert_allclose(stored, CODEC.compress(VECTORS), atol=1e-3)
    assert decompress_cli.main([bundle, codes, "--out", back]) == 0
    found = np.load(back, allow_pickle=False)
    np.testing.assert_allclose(found, CODEC.decompress(stored), atol=1e-5)


def test_pipes(bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "v.npy", VECTORS, allow_pickle=False)
    given = (tmp_path / "v.npy").read_bytes()
    codes = piped(monkeypatch, compress_cli.main, [bundle, "--out", "-"], given)
    out = str(tmp_path / "b.npy")
    piped(monkeypatch, decompress_cli.main, [bundle, "-", "--out", out], codes)
    found = np.load(out, allow_pickle=False)
    np.testing.assert_allclose(found, CODEC.decompress(CODEC.compress(VECTORS)), atol=1e-5)


def test_without_compressor_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bundle(tiny_parts(), tmp_path / "bundle")
    np.save(tmp_path / "v.npy", VECTORS, allow_pickle=False)
    options = [str(tmp_path / "bundle"), str(tmp_path / "v.npy"), "--out", str(tmp_path / "c.npy")]
    for command in (compress_cli, decompress_cli):
        assert command.main(options) == 65
        assert "compressor: wanted a bundle with one" in capsys.readouterr().err
    assert not (tmp_path / "c.npy").exists()


def test_a_bad_row_is_named(
    tmp_path: Path, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = VECTORS.copy()
    vectors[50, 3] = np.inf
    np.save(tmp_path / "v.npy", vectors, allow_pickle=False)
    options = [bundle, str(tmp_path / "v.npy"), "--out", str(tmp_path / "c.npy")]
    assert compress_cli.main([*options, "--batch-size", "1"]) == 65
    assert "v.npy, row 51: wanted finite numbers, got inf" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["v.npy"]
