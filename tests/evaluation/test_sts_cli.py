import json
from pathlib import Path

import pytest

from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.evaluation import sts_cli
from tests.codec.parts import tiny_parts


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    write_bundle(tiny_parts(compressor=True), folder)
    return str(folder)


def test_sts_compares_all_methods(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = tmp_path / "pairs.tsv"
    rows = ["word1 word2\tword1 word2\t5", "word1 word3\tword1 word4\t3", "word5\tword6\t0"]
    pairs.write_text("\n".join([*rows, "word7 word8\tword8 word7\t4"]) + "\n")
    assert sts_cli.main([bundle, str(pairs), "--json", "--compressed", "--batch-size", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    methods = {row["method"]: row for row in found["methods"]}
    assert found["pairs"] == 4
    assert methods["word overlap"]["spearman"]["value"] == pytest.approx(0.9487, abs=1e-4)
    assert set(methods) == {
        *("sentence vectors", "compressed vectors", "restored vectors"),
        *("mean of word vectors", "word overlap"),
    }
    assert sts_cli.main([bundle, str(pairs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("sentence vectors")
    assert lines[-1] == "4 pairs; 95 % confidence intervals"


def test_sts_names_the_line_that_is_no_pair(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("a\tb\t1\na b 2\n")
    assert sts_cli.main([bundle, str(pairs)]) == 65
    assert "pairs.tsv, line 2: wanted SENTENCE<tab>SENTENCE<tab>NUMBER" in capsys.readouterr().err
    pairs.write_text("\n")
    assert sts_cli.main([bundle, str(pairs)]) == 65
    assert "wanted at least one pair of sentences, got none" in capsys.readouterr().err
