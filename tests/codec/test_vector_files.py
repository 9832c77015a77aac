import io
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rrnn_lit.codec.vector_files import check_vector_file, reading, writing

ROWS = np.arange(42, dtype=np.float32).reshape(14, 3)


def write(path: Path, dtype: str = "float32", rows: np.ndarray = ROWS) -> None:
    with writing(str(path), 3, dtype) as writer:
        for start in range(0, len(rows), 5):
            writer.write(rows[start : start + 5])


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("name", ["v.npy", "v.parquet"])
@pytest.mark.parametrize("num_rows", [0, 14])
def test_files_hold_what_was_written(tmp_path: Path, name: str, dtype: str, num_rows: int) -> None:
    path = tmp_path / name
    write(path, dtype, ROWS[:num_rows])
    blocks = list(reading(str(path), 4))
    assert all(len(block) <= 4 for block in blocks)
    found = np.concatenate(blocks)
    assert found.dtype == dtype
    assert np.array_equal(found, ROWS[:num_rows])
    assert [p.name for p in tmp_path.iterdir()] == [name]


def interrupted(path: Path) -> None:
    with writing(str(path), 3, "float32") as writer:
        writer.write(ROWS)
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["v.npy", "v.parquet"])
def test_an_interrupted_file_is_never_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path, rows=ROWS[:2])
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert np.array_equal(np.concatenate(list(reading(str(path), 9))), ROWS[:2])
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_row_group_is_a_block(tmp_path: Path) -> None:
    write(tmp_path / "v.parquet")
    metadata = pq.ParquetFile(tmp_path / "v.parquet").metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [5, 5, 4]


@pytest.mark.parametrize(
    "column",
    [pa.list_(pa.float32()), pa.list_(pa.float64()), pa.large_list(pa.float16()), None],
    ids=str,
)
def test_lists_of_other_programs_are_read(tmp_path: Path, column: pa.DataType | None) -> None:
    table = pa.table({"text": ["a"] * 14, "embedding": pa.array(ROWS.tolist(), column)})
    pq.write_table(table, tmp_path / "v.parquet")
    found = np.concatenate(list(reading(str(tmp_path / "v.parquet"), 4)))
    assert np.array_equal(found, ROWS)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["a"]}, "wanted a column 'vector' of lists, got .'text'."),
        ({"a": [[1.0]], "b": [[1.0]]}, "wanted a column 'vector' of lists"),
        ({"vector": [[1.0], None, [2.0]]}, "row 2: wanted a vector, got no list"),
        ({"vector": [[1.0], [2.0], [1.0, 2.0]]}, "row 3: wanted a vector, got 2 numbers behind 1"),
    ],
)
def test_bad_columns_are_named(
    tmp_path: Path, columns: dict[str, list[object]], message: str
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    with pytest.raises(ValueError, match=message):
        list(reading(str(tmp_path / "v.parquet"), 10))


def test_what_is_no_parquet_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.parquet").write_bytes(b"word1 word2")
    with pytest.raises(ValueError, match=r"v.parquet: wanted a Parquet file"):
        list(reading(str(tmp_path / "v.parquet"), 10))


def test_a_damaged_page_of_a_parquet_file_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    rows = np.random.default_rng(0).standard_normal((500, 3)).tolist()
    pq.write_table(pa.table({"vector": rows}), path, compression="gzip")
    content = bytearray(path.read_bytes())
    content[100:400] = bytes(300)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="v.parquet: wanted a whole Parquet file, got"):
        list(reading(str(path), 10))


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"extra `parquet`.*pip install 'rrnn_lit\[parquet\]'"):
        write(tmp_path / "v.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got no such file"):
        list(reading(str(tmp_path / "v.npy"), 10))


def test_a_folder_is_no_missing_file(tmp_path: Path) -> None:
    (tmp_path / "v.npy").mkdir()
    with pytest.raises(ValueError, match=r"wanted a file of vectors, got a folder: .*v\.npy"):
        list(reading(str(tmp_path / "v.npy"), 10))


@pytest.mark.parametrize("name", ["v.txt", "v", "v.npz", ""])
def test_other_kinds_of_files_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"wanted a file .npy or .parquet, or - for a pipe"):
        check_vector_file(name)


class Standard:
    """A stand-in for a standard stream, which has a buffer of bytes."""

    def __init__(self, content: bytes = b"") -> None:
        self.buffer = io.BytesIO(content)


def test_standard_streams_carry_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Standard()
    monkeypatch.setattr(sys, "stdout", out)
    with writing("-", 3, "float16") as writer:
        writer.write(ROWS[:5])
        writer.write(ROWS[5:])
    monkeypatch.setattr(sys, "stdin", Standard(out.buffer.getvalue()))
    assert np.array_equal(np.concatenate(list(reading("-", 4))), ROWS)
