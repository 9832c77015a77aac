import json
from pathlib import Path

import pytest

from rrnn_lit.evaluation.intervals import share_of_sentences
from rrnn_lit.evaluation.report_files import files_of, want_place, write_files


def files(value: int = 1) -> dict[str, bytes]:
    content = {"columns": [{"figures": {"rate": share_of_sentences(value, 2)}}]}
    return files_of(content, [{"target": "two", "count": 3}], {"by_length": b"png"}, "page")


def test_files_hold_page_numbers_pairs_and_pictures() -> None:
    found = files()
    assert set(found) == {"report.html", "metrics.json", "errors.jsonl", "by_length.png"}
    metrics = json.loads(found["metrics.json"])
    assert metrics["format"] == "rrnn_lit report"
    rate = metrics["columns"][0]["figures"]["rate"]
    assert set(rate) == {"part", "whole", "value", "low", "high"}
    assert (rate["part"], rate["whole"], rate["value"]) == (1, 2, 0.5)
    assert [json.loads(line) for line in found["errors.jsonl"].splitlines()] == [
        {"target": "two", "count": 3}
    ]


def test_an_earlier_report_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    want_place(folder)
    write_files(folder, {**files(), "old.png": b"old"})
    want_place(folder)
    write_files(folder, files(2))
    assert sorted(path.name for path in folder.iterdir()) == sorted(files())
    assert b'"value": 1.0' in (folder / "metrics.json").read_bytes()
    assert [path.name for path in folder.parent.iterdir()] == ["report"]


def test_what_cannot_be_written_leaves_the_earlier_report(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_files(folder, files())
    with pytest.raises(OSError, match="no_such"):
        write_files(folder, {**files(2), "no_such/file": b""})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("name", ["notes.txt", "metrics.json"])
def test_a_folder_with_other_files_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(FileExistsError, match="wanted a new folder or that of an earlier report"):
        want_place(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_asking_for_a_place_makes_nothing(tmp_path: Path) -> None:
    want_place(tmp_path / "no" / "such" / "report")
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_an_earlier_report_stays_a_link(tmp_path: Path) -> None:
    folder, link = tmp_path / "report", tmp_path / "link"
    write_files(folder, files())
    link.symlink_to(folder)
    write_files(link, files(2))
    assert link.is_symlink()
    assert b'"value": 1.0' in (folder / "metrics.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "report"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(FileExistsError, match="--out: wanted a folder, got the file"):
        want_place(path)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    want_place(folder)
    write_files(folder, files())
    assert (folder / "report.html").read_bytes() == b"page"
