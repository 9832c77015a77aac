import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit import cli as command
from rrnn_lit.evaluation import product_quantisation
from rrnn_lit.evaluation.ratio_cli import main
from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.summary import read_summary
from tests.training.compressing import fit_compressor
from tests.training.tiny import tiny_config

SMALL = ["--train-sentences", "100", "--sentences", "15", "--ratios", "2,8"]


@pytest.fixture(autouse=True)
def without_codebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """140 training sentences are too few for product quantisation."""
    monkeypatch.setattr(product_quantisation, "find_spec", lambda name: None)


@pytest.fixture(scope="module")
def models(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A trained autoencoder and a compressor of its vectors."""
    folder = tmp_path_factory.mktemp("ratio")
    config = folder / "tiny.yaml"
    content = tiny_config(prepared_folder, folder / "run", {"trainer.max_steps": 10})
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    run = RRNNCLI(["fit", "--config", str(config)]).folder
    return run, fit_compressor(prepared_folder, run, folder / "compressor").folder


def test_table_json_and_picture(
    models: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, compressor = models
    options = [str(run), "--compressor", str(compressor), *SMALL, "--sentences", "100"]
    assert main([*options, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert "PQ: left out, the package faiss is not installed" in printed.err
    content: dict[str, Any] = json.loads((tmp_path / "out/ratio.json").read_text())
    assert (tmp_path / "out/ratio.png").read_bytes().startswith(b"\x89PNG")
    rows = {(row["method"], row["num_bytes"]): row for row in content["methods"]}
    for method, num_bytes in rows:
        assert method in printed.out
        assert str(num_bytes) in printed.out
    plain, own = rows["plain, fp16", 32], rows["compressor", 3]
    summary = read_summary(compressor)["splits"]["tune"]
    assert plain["matched_words"] == summary["plain_matched_words"]
    assert content["num_words"] == summary["num_words"]
    assert own["ratio"] == round(32 / 3, 3)
    assert plain["squared_error"] < own["squared_error"]
    assert (content["split"], content["num_sentences"], content["max_words"]) == ("tune", 20, 12)
    assert [row["num_bytes"] for row in content["methods"]] == sorted(
        (row["num_bytes"] for row in content["methods"]), reverse=True
    )


def test_vectors_that_were_predicted_serve_as_well(
    models: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Path = shutil.copytree(models[0], tmp_path / "run")
    assert command.main(["predict", "--run", str(run), "--data.predict_split", "train"]) == 0
    capsys.readouterr()
    vectors = ["--vectors", str(run / "predictions/train")]
    assert main([str(run), *SMALL, *vectors, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["training_vectors"], content["num_sentences"]) == (100, 15)
    manifest = run / "predictions/train/manifest.json"
    facts = json.loads(manifest.read_text())
    for name, message in (
        ("weights_digest", "--vectors: wanted those of the autoencoder"),
        ("split", "--vectors: wanted those with split train, got other"),
        ("data_digest", "--vectors: wanted those with data_digest"),
    ):
        manifest.write_text(json.dumps({**facts, name: "other"}))
        assert main([str(run), *SMALL, *vectors]) == command.EXIT_BAD_INPUT
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ratios", "0.5"], "--ratios: wanted numbers of at least 1 with commas between"),
        (["--sentences", "0"], "--sentences: wanted a whole number of at least 1, got '0'"),
        (["--split", "train"], "--split: invalid choice: 'train'"),
    ],
)
def test_a_bad_command_is_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["somewhere", *options]) == command.EXIT_BAD_CONFIG
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_models_that_do_not_fit_are_refused(
    models: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, compressor = models
    for options, message in (
        ([str(tmp_path)], "wanted the folder of a run or of a bundle"),
        ([str(run), "--compressor", str(run)], "--compressor: wanted a trained compressor, got"),
        ([str(run), "--device", "nothing"], "--device: wanted cpu, cuda or cuda:N"),
        ([str(run), "--device", "meta"], "--device: wanted cpu, cuda or cuda:N, got 'meta'"),
        ([str(run), "--device", "cuda:99"], "--device: wanted one of the "),
    ):
        assert main([*options, *SMALL]) == command.EXIT_BAD_INPUT
        assert message in capsys.readouterr().err
    assert main([str(compressor), "--compressor", str(compressor), *SMALL]) == 0
