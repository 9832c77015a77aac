import json
from pathlib import Path

import pytest

from rrnn_lit.data.manifest import FORMAT, FORMAT_VERSION, DataError, read_manifest, write_json


def test_json_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "counts.json"
    path.write_text("old", encoding="utf-8")
    write_json(path, {"größe": 1})
    assert json.loads(path.read_text(encoding="utf-8")) == {"größe": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "counts.json"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(path, [1, object()])
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("words.txt", None),
        ("words.txt", {}),
        ("words.txt", {"bytes": "3", "sha256": "0"}),
        ("words.txt", {"bytes": 3, "sha256": 0}),
        ("../words.txt", {"bytes": 3, "sha256": "0"}),
        ("words\0.txt", {"bytes": 3, "sha256": "0"}),
        ("w" * 300, {"bytes": 3, "sha256": "0"}),
        ("", {"bytes": 3, "sha256": "0"}),
    ],
)
def test_an_odd_entry_of_a_manifest_is_refused(tmp_path: Path, name: str, entry: object) -> None:
    manifest = {"format": FORMAT, "format_version": FORMAT_VERSION, "config": {}}
    write_json(tmp_path / "manifest.json", {**manifest, "files": {name: entry}})
    with pytest.raises(DataError, match="manifest.json: wanted (names of files|bytes and sha256)"):
        read_manifest(tmp_path)


def test_json_without_a_bottom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match="manifest.json: wanted JSON, got "):
        read_manifest(tmp_path)
