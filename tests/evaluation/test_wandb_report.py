import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.evaluation.report_files import files_of, write_files
from rrnn_lit.evaluation.report_page import build_page
from rrnn_lit.evaluation.report_pictures import draw_pictures
from rrnn_lit.evaluation.wandb_report import log_report
from tests.codec.parts import tiny_parts
from tests.evaluation.reports import columns_of, content_of

SECRET = "sehr-geheim-17"
CONFIG = {"wandb": {"project": "letters", "entity": None, "group": "g", "tags": ["demo"]}}
Report = tuple[dict[str, Any], list[dict[str, Any]], dict[str, bytes]]


@pytest.fixture(scope="module")
def report(prepared_folder: Path) -> Report:
    columns = columns_of(tiny_parts(compressor=True), prepared_folder)
    content, pairs = content_of(columns, prepared_folder)
    pictures = draw_pictures(content)
    return content, pairs, files_of(content, pairs, pictures, build_page(content, pairs, pictures))


@pytest.fixture
def folder(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder with a report in it, W&B offline."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for variable in ("WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "argv", ["rrnn", SECRET])
    run = tmp_path / "runs" / "tiny"
    write_files(run / "report-holdout", report[2])
    return run


def read_records(folder: Path) -> list[dict[str, Any]]:
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    arguments = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(path)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_report_goes_on_with_the_runs_own_wandb_run(report: Report, folder: Path) -> None:
    content, pairs, files = report
    (folder / "wandb_run_id").write_text("0123456789ab", encoding="utf-8")
    run_id = log_report(folder / "report-holdout", content, pairs, [(folder, CONFIG)])
    assert run_id == "0123456789ab"
    (offline,) = (folder / "wandb").glob("offline-run-*")
    assert offline.name.endswith("-0123456789ab")
    media = offline / "files" / "media"
    pictures = list((media / "images" / "report" / "holdout").glob("*.png"))
    assert len(pictures) == sum(name.endswith(".png") for name in files)
    tables = {path.name.split("_")[0]: path for path in media.rglob("*.table.json")}
    assert set(tables) == {"figures", "sentences", "confusions"}
    figures = json.loads(tables["figures"].read_text(encoding="utf-8"))
    assert figures["columns"][:5] == ["model", "figure", "value", "low", "high"]
    assert len(figures["data"]) == 2 * 5
    assert figures["data"][0][-1] == content["columns"][0]["line"]
    records = read_records(folder)
    run = next(record["run"] for record in records if record["type"] == "run")
    assert (run["project"], run["display_name"], run["run_group"]) == ("letters", "tiny", "g")
    text = json.dumps(records)
    for part in (
        "report/holdout/tiny plain",
        "exact_sentence_rate",
        "report-holdout-0123456789ab",
    ):
        assert part in text
    for written in (folder / "wandb").rglob("*"):
        assert not written.is_file() or SECRET.encode() not in written.read_bytes()


def test_a_report_about_a_bundle_is_a_wandb_run_of_its_own(
    report: Report, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content, pairs, _ = report
    place = folder / "report-holdout"
    first = log_report(place, content, pairs, [(folder, {})])
    records = read_records(folder)
    run = next(record["run"] for record in records if record["type"] == "run")
    assert (run["run_id"], run["project"], run["job_type"]) == (first, "rrnn_lit", "report")
    assert capfd.readouterr().err == ""


def test_off_writes_nothing(
    report: Report,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    content, pairs, _ = report
    assert log_report(folder / "report-holdout", content, pairs, [(folder, CONFIG)]) is None
    assert not (folder / "wandb").exists()
    assert capsys.readouterr().err == "rrnn report: no W&B run: WANDB_MODE is disabled\n"


def test_trouble_with_wandb_is_one_warning(
    report: Report, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, pairs, _ = report
    (folder / "report-holdout" / "by_length.png").write_text("no picture", encoding="utf-8")
    assert log_report(folder / "report-holdout", content, pairs, [(folder, CONFIG)]) is None
    error = capsys.readouterr().err
    assert error.startswith("rrnn report: warning: not in W&B: ")
    assert error.count("\n") == 1
    import wandb

    assert wandb.run is None
