import io
from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.words.arrays import map_array


def whole() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(6.0).reshape(2, 3), allow_pickle=False)
    return buffer.getvalue()


def changed(old: bytes, new: bytes) -> bytes:
    assert old in whole()
    return whole().replace(old, new)


def test_a_whole_file_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(whole())
    array = map_array(path, "<f8", 2)
    assert isinstance(array, np.memmap)
    np.testing.assert_array_equal(array, np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",  # an archive
        whole()[:40],
        whole()[:-1],
        changed(b"(2, 3)", b")2, 3)"),  # Python's parser: SyntaxError
        changed(b"(2, 3)", b"(2, 3 "),  # and TokenError
        changed(b"(2, 3), }", b"(2, 3L), }"),  # as Python 2 wrote it: a warning
        changed(b"(2, 3), }", b"(9" + b"9" * 30 + b",), }"),
        changed(b"(2, 3)", b"(-2,-3)"),
        changed(b"'<f8'", b"'|O8'"),
    ],
)
def test_whatever_is_wrong_with_a_file_is_one_error_with_its_name(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path}: wanted a readable .npy file, got .+"):
        map_array(path, "<f8", 2)


@pytest.mark.parametrize(("dtype", "dims"), [("<f4", 2), (">f8", 2), ("<f8", 1)])
def test_another_kind_is_refused(tmp_path: Path, dtype: str, dims: int) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(whole())
    with pytest.raises(ValueError, match=r"got float64 of shape \(2, 3\)"):
        map_array(path, dtype, dims)
