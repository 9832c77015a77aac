import json
from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.evaluation import similar_cli
from tests.codec.parts import tiny_parts

SENTENCES = [
    "word1 word2 word3",
    "",
    "word9 word8",
    "word1 word2 word4",
    "word3 word2 word1",
    " ".join(f"word{i}" for i in range(30)),  # longer than those of the training
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    write_bundle(tiny_parts(compressor=True), folder)
    return str(folder)


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(SENTENCES) + "\n")
    return str(path)


@pytest.mark.parametrize("batch_size", ["1", "256"])
def test_similar_lists_the_nearest_lines(
    bundle: str, text: str, batch_size: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [bundle, text, "word1 word2 word3", "--top", "4", "--json"]
    assert similar_cli.main([*command, "--batch-size", batch_size]) == 0
    found = json.loads(capsys.readouterr().out)
    codec = SentenceCodec.load(bundle)
    lines = [1, 3, 4, 5, 6]
    vectors = codec.encode([SENTENCES[line - 1] for line in lines], longer="encode")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = vectors @ vectors[0]
    order = np.argsort(-cosine)[:4]
    assert [hit["line"] for hit in found["hits"]] == [lines[i] for i in order]
    np.testing.assert_allclose(
        [hit["cosine"] for hit in found["hits"]], cosine[order], rtol=1e-5, atol=1e-6
    )
    by_line = {hit["line"]: hit for hit in found["hits"]}
    assert by_line[1]["text"] == SENTENCES[0]
    assert by_line[1]["overlap"] == 1
    assert all(
        hit["overlap"] == {1: 1, 3: 0, 4: 0.5, 5: 1, 6: 0.1}[line] for line, hit in by_line.items()
    )
    assert 0 < found["shared_with_overlap"] <= 4


def test_similar_counts_what_the_baselines_find_as_well(
    bundle: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert similar_cli.main([bundle, text, "word1 word2 word3", "--top", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["shared_with_mean_vectors"] == found["shared_with_overlap"] == 5  # all there are


def test_similar_prints_a_table_for_each_line_of_queries(
    bundle: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("word9 word8\n\nword3 word2 word1\n")
    assert similar_cli.main([bundle, text, "--queries", str(queries), "--top", "1"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "word9 word8"
    assert lines[2].split() == ["1.000", "1.000", "1.00", "3", "word9", "word8"]
    assert lines[3].startswith("of these 1, 1 are among the nearest 1 by mean vectors")
    assert lines[5] == "word3 word2 word1"
    assert "5 sentences" in printed.err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 64, "SENTENCE: wanted one sentence, or --queries FILE instead"),
        (["a", "--queries", "q"], 64, "SENTENCE: wanted one sentence, or --queries"),
        (["a", "--top", "0"], 64, "--top: wanted a whole number of at least 1, got '0'"),
        (["a", "--search", "slow"], 64, "--search"),
        (["--queries", "nowhere.txt"], 65, "nowhere.txt"),
    ],
)
def test_similar_refuses_in_one_line(
    bundle: str,
    text: str,
    options: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert similar_cli.main([bundle, text, *options]) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out


def test_similar_in_an_empty_file_is_65(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").write_text("\n \n")
    assert similar_cli.main([bundle, str(tmp_path / "empty.txt"), "word1"]) == 65
    assert "empty.txt: wanted at least one sentence, got none" in capsys.readouterr().err
