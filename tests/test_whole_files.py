import errno
from pathlib import Path

import pytest

from rrnn_lit.whole_files import named, put_folder, write_text, written_durably, written_whole


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


def test_what_an_earlier_process_of_this_number_left_behind_is_not_in_the_way(
    tmp_path: Path,
) -> None:
    part, target = tmp_path / ".new.part", tmp_path / "new"
    for folder in (part, target, tmp_path / ".new.old"):
        folder.mkdir()
        (folder / "f").touch()
    put_folder(part, target)
    assert names(tmp_path) == [".new.old", "new"]


def test_a_durable_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with pytest.raises(OSError, match="/f: half"):
        fail_half_way_on_the_disk(path)
    assert names(tmp_path) == []
    with written_durably(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert names(tmp_path) == ["f"]


def fail_half_way_on_the_disk(path: Path) -> None:
    with written_durably(path) as file:
        file.write(b"half")
        raise OSError("half")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device: '/x/y'"),
        (OSError("5 requested and 3 written"), "/x/y: 5 requested and 3 written"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/z"), "No such file: '/z'"),
    ],
)
def test_an_error_gets_the_name_that_it_lacks(error: OSError, text: str) -> None:
    with pytest.raises(OSError, match=text), named(Path("/x/y")):
        raise error
