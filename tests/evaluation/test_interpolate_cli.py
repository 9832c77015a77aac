import json

import pytest

from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.evaluation import interpolate_cli
from tests.codec.parts import tiny_parts


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    write_bundle(tiny_parts(compressor=True), folder)
    return str(folder)


@pytest.mark.parametrize("method", ["linear", "spherical"])
def test_interpolate_starts_and_ends_with_the_sentences_own_decoding(
    bundle: str, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = ["word1 word2", "word5 word6 word7"]
    command = [bundle, *ends, "--steps", "5", "--method", method, "--json"]
    assert interpolate_cli.main(command) == 0
    found = json.loads(capsys.readouterr().out)
    rows = found["steps"]
    codec = SentenceCodec.load(bundle)
    assert [rows[0]["text"], rows[-1]["text"]] == codec.decode(codec.encode(ends))
    assert [row["share"] for row in rows] == [0, 0.25, 0.5, 0.75, 1]
    towards = [row["cosine_to"] for row in rows]
    assert towards == sorted(towards)
    assert rows[0]["cosine_from"] == pytest.approx(1) == towards[-1]


def test_interpolate_prints_a_line_a_step(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert interpolate_cli.main([bundle, "word1", "word2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 7
    assert interpolate_cli.main([bundle, "word1", "word2", "--steps", "1"]) == 64
    assert "--steps: wanted a whole number of at least 2, got '1'" in capsys.readouterr().err
