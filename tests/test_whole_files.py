from pathlib import Path

import pytest

from rrnn_lit.whole_files import put_folder, write_text, written_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_fails_leaves_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    write_text(path, "earlier")
    with pytest.raises(OSError, match="full"):
        fail_half_way(path)
    assert path.read_text(encoding="utf-8") == "earlier"
    assert names(tmp_path) == ["f.txt"]


def fail_half_way(path: Path) -> None:
    with written_whole(path) as part:
        part.write_text("half", encoding="utf-8")
        raise OSError("full")


@pytest.mark.parametrize("earlier", [None, "", "old.txt"])
def test_a_folder_takes_the_place_of_another(tmp_path: Path, earlier: str | None) -> None:
    part, target = tmp_path / ".new.part", tmp_path / "new"
    part.mkdir()
    (part / "new.txt").touch()
    if earlier is not None:
        target.mkdir()
    if earlier:
        (target / earlier).touch()
    put_folder(part, target)
    assert names(tmp_path) == ["new"]
    assert names(target) == ["new.txt"]


def test_a_folder_that_cannot_be_moved_leaves_the_earlier_one(tmp_path: Path) -> None:
    target = tmp_path / "new"
    target.mkdir()
    (target / "old.txt").touch()
    with pytest.raises(FileNotFoundError):
        put_folder(tmp_path / "missing.part", target)
    assert names(tmp_path) == ["new"]
    assert names(target) == ["old.txt"]
