import gzip
from pathlib import Path

import pytest

from rrnn_lit.complaints import UnsafeError
from rrnn_lit.packed_files import opened, unpacked_size


def test_small_files_may_shrink_as_much_as_they_like(tmp_path: Path) -> None:
    path = tmp_path / "a.GZ"
    path.write_bytes(gzip.compress(b"a" * 1_000_000, mtime=0))
    assert unpacked_size(path) == 1_000_000
    with opened(path) as (file, stored):
        assert file.read() == b"a" * 1_000_000
        assert stored.tell() == path.stat().st_size


def test_a_flood_ends_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"a" * (20 << 20), 1, mtime=0))
    with pytest.raises(UnsafeError, match=r"a.gz: a packed file may unpack to 100 times"):
        unpacked_size(path)


def test_other_files_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(gzip.compress(b"a" * 1000, mtime=0))
    assert unpacked_size(path) == path.stat().st_size
