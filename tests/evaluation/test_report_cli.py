import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.evaluation.report_cli import main
from tests.codec.parts import tiny_parts
from tests.evaluation.html_checks import read_page

FAST = ["--no-speed", "--samples", "2"]


def metrics_in(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    write_bundle(tiny_parts(compressor=True), folder)
    return folder


def test_a_report_of_a_run_lies_in_it_and_is_replaced(
    straight_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(straight_run, run)
    assert main([str(run), "--sentences", "3", *FAST]) == 0
    assert metrics_in(run / "report-holdout")["facts"]["num_sentences"] == 3
    assert main([str(run), "--sentences", "4", *FAST]) == 0
    metrics = metrics_in(run / "report-holdout")
    assert metrics["facts"]["num_sentences"] == 4
    printed = capsys.readouterr().out
    assert "run: holdout, 4 of 20 sentences, of at most 12 words with EOS; V 71; width" in printed
    assert str(run / "report-holdout" / "report.html") in printed
    assert len(metrics["samples"]) == 2
    assert metrics["facts"]["command"] == f"rrnn report {run} --sentences 4 --no-speed --samples 2"
    assert metrics["columns"][0]["throughput"] is None
    names = {path.name for path in (run / "report-holdout").iterdir()}
    pictures = {f"by_{name}.png" for name in ("length", "position", "frequency", "category")}
    assert names == {"report.html", "metrics.json", "errors.jsonl", *pictures}


def test_a_report_of_a_bundle_lies_beside_it_with_plain_and_compressed(
    bundle: Path, prepared_folder: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in bundle.iterdir()}
    assert main([str(bundle), "--data", str(prepared_folder), "--samples", "2"]) == 0
    out = bundle.with_name("tiny-report")
    metrics = metrics_in(out)
    plain, compressed = metrics["columns"]
    assert (plain["name"], compressed["name"]) == ("tiny", "tiny compressed to 8")
    assert compressed["facts"]["bytes_per_vector"] == 16
    assert compressed["differences"].keys() == plain["figures"].keys()
    assert plain["throughput"]["num_sentences"] == 20
    assert compressed["throughput"] is None
    read_page((out / "report.html").read_text(encoding="utf-8"))
    lines = (out / "errors.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    wrong = sum(c["figures"]["matched_word_rate"]["whole"] for c in metrics["columns"])
    wrong -= sum(c["figures"]["matched_word_rate"]["part"] for c in metrics["columns"])
    assert sum(pair["count"] for pair in pairs) == wrong
    assert before == {path: path.stat().st_mtime_ns for path in bundle.iterdir()}


def test_several_models_are_compared_on_the_same_sentences(
    straight_run: Path, bundle: Path, prepared_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "both"
    data = ["--data", str(prepared_folder)]
    assert main([str(straight_run), str(bundle), *data, "--out", str(out), *FAST]) == 0
    metrics = metrics_in(out)
    assert [column["name"] for column in metrics["columns"]] == [
        "run",
        "tiny",
        "tiny compressed to 8",
    ]
    wholes = {c["figures"]["matched_word_rate"]["whole"] for c in metrics["columns"]}
    assert len(wholes) == 1
    assert (out / "side_by_side.png").is_file()
    assert len(metrics["samples"][0]["columns"]) == 3


def test_models_of_different_data_are_refused_by_name(
    straight_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, data = tmp_path / "other", tmp_path / "data"
    write_synthetic(data, seed=5)
    shutil.copytree(straight_run, other)
    path = other / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    first = config["data"]["folder"]
    config["data"]["folder"] = str(data)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert main([str(straight_run), str(other), "--out", str(tmp_path / "out"), *FAST]) == 65
    error = capsys.readouterr().err
    for part in (str(other), str(data), first, "--data FOLDER"):
        assert part in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 64, "RUN|BUNDLE"),
        (["{bundle}", "--split", "dev"], 64, "--split: invalid choice: 'dev'"),
        (["{bundle}", "--sentences", "0"], 64, "--sentences: wanted 1 or more, got 0"),
        (["{bundle}", "--samples", "-1"], 64, "--samples: wanted 0 or more, got -1"),
        (["{bundle}", "{bundle}"], 64, "--out: wanted a folder for a report about 2 models"),
        (["{bundle}"], 65, "--data: wanted a prepared folder"),
        (["{data}", "--data", "{data}"], 65, "wanted the folder of a run or of a bundle"),
        (["{bundle}", "--data", "{data}/none"], 65, "no such folder"),
        (
            ["{bundle}", "--data", "{data}", "--device", "tpu7"],
            65,
            "--device: wanted cpu, cuda or cuda:N",
        ),
        (
            ["{bundle}", "--data", "{data}", "--device", "meta"],
            65,
            "--device: wanted cpu, cuda or cuda:N",
        ),
        (["{bundle}", "--data", "{data}", "--out", "{data}"], 74, "--out: wanted a new folder"),
        (["{bundle}", "--data", "{data}", "--raw", "no.txt"], 65, "no such file: no.txt"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    options: list[str],
    code: int,
    message: str,
    bundle: Path,
    prepared_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [o.format(bundle=bundle, data=prepared_folder) for o in options]
    assert main(filled) == code
    error = capsys.readouterr().err
    assert error.startswith("rrnn report: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_split_without_sentences_is_refused(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    write_synthetic(data, num_sentences=3)  # one each, none is left for train
    options = [
        str(bundle),
        "--data",
        str(data),
        "--split",
        "train",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(options) == 65
    error = capsys.readouterr().err
    assert "--split: wanted train sentences of at most 12 words, got none among 0" in error
    assert not (tmp_path / "out").exists()


def test_help_is_written_for_a_researcher(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("--split", "holdout", "--raw", "the first is the yardstick"):
        assert part in text
