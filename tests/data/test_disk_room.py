from collections import namedtuple
from pathlib import Path

import pytest

from rrnn_lit.data.disk_room import TooLittleRoomError, check_room

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def _one_megabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, 1_000_000))


@pytest.mark.usefixtures("_one_megabyte")
def test_a_text_that_cannot_be_copied_is_refused_with_the_figures(tmp_path: Path) -> None:
    with pytest.raises(TooLittleRoomError, match=r"room for about 5.8 MB .* got 1.0 MB free in"):
        check_room(tmp_path, 2_000_000, 0)


@pytest.mark.usefixtures("_one_megabyte")
def test_a_disk_that_may_fill_up_is_warned_of_and_one_with_room_is_not(tmp_path: Path) -> None:
    warning = check_room(tmp_path, 900_000, 0)
    assert warning is not None
    assert "wanted room for about 2.6 MB" in warning
    assert "2.0 MB" in str(check_room(tmp_path, 200_000, 200_000))  # packed
    assert check_room(tmp_path, 200_000, 0) is None
