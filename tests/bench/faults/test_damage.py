import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rrnn_lit.bench.faults.damage import PAGE, cut, empty, flip_bit, zero_page

CONTENT = bytes(range(1, 251)) * 20  # 5,000 bytes, none of them zero
OLD = 10**18


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    os.utime(path, ns=(OLD, OLD))
    return path


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        (lambda path: cut(path, 4321), CONTENT[:4321]),
        (empty, b""),
        (lambda path: flip_bit(path, 8 * 7 + 3), CONTENT[:7] + bytes([0]) + CONTENT[8:]),
        (lambda path: zero_page(path, 0), bytes(PAGE) + CONTENT[PAGE:]),
        (lambda path: zero_page(path, 1), CONTENT[:PAGE] + bytes(5000 - PAGE)),
    ],
    ids=["cut", "empty", "flip", "first page", "last page"],
)
def test_only_the_named_bytes_change_and_the_time_is_kept(
    file: Path, damage: Callable[[Path], None], left: bytes
) -> None:
    damage(file)
    assert file.read_bytes() == left
    assert file.stat().st_mtime_ns == OLD


def test_a_bit_flipped_twice_is_as_before(file: Path) -> None:
    flip_bit(file, 39_999)
    assert file.read_bytes() != CONTENT
    flip_bit(file, 39_999)
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda path: cut(path, 5000), "size: wanted a number from 0 to 4999, got 5000"),
        (lambda path: flip_bit(path, 40_000), "bit: wanted a number from 0 to 39999, got 40000"),
        (lambda path: zero_page(path, 2), "page: wanted a number from 0 to 1, got 2"),
        (lambda path: flip_bit(path, -1), "bit: wanted a number from 0 to 39999, got -1"),
    ],
)
def test_a_place_outside_the_file_is_refused(
    file: Path, damage: Callable[[Path], None], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        damage(file)
    assert file.read_bytes() == CONTENT
