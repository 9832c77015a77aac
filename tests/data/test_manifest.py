import json
from pathlib import Path

import pytest

from rrnn_lit.data.manifest import write_json


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
