"""Vectors in a Parquet file: a column `vector` of lists of equal length, a row group a block.

Shapes: R rows of a block, D numbers in a row.
"""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.codec.vector_blocks import Block

COLUMN = "vector"


class ParquetWriter:
    """Writes blocks as row groups.

    Args:
        path: file to write.
        size: D.
        dtype: of the numbers.

    Raises:
        ValueError: pyarrow is not installed.
    """

    def __init__(self, path: Path, size: int, dtype: npt.DTypeLike) -> None:
        self._arrow, self._size, self._dtype = _arrow(), size, np.dtype(dtype)
        item = self._arrow.from_numpy_dtype(self._dtype)
        self._schema = self._arrow.schema([(COLUMN, self._arrow.list_(item, size))])
        self._writer = self._arrow.parquet.ParquetWriter(path, self._schema)

    def write(self, block_RD: Block) -> None:
        """Append rows as one row group."""
        flat = self._arrow.array(np.ascontiguousarray(block_RD, self._dtype).ravel())
        lists = self._arrow.FixedSizeListArray.from_arrays(flat, self._size)
        self._writer.write_table(self._arrow.table([lists], schema=self._schema))

    def close(self) -> None:
        """Write the end of the file, without which it cannot be read."""
        self._writer.close()


def read_parquet(path: Path, num_rows: int) -> Iterator[Block]:
    """Yield the rows of the column `vector`, or of the only column of lists.

    Args:
        path: file to read.
        num_rows: most rows of a block.

    Raises:
        ValueError: pyarrow is not installed; no Parquet file, or a damaged one; no such column; a
            row is missing or has another length.
    """
    arrow = _arrow()
    try:
        file = arrow.parquet.ParquetFile(path)
    except (arrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path}: wanted a Parquet file, got {error}") from error
    with file:
        column = _column(arrow, file.schema_arrow, path)
        start = 0
        batches = file.iter_batches(batch_size=num_rows, columns=[column])
        while (batch := _next(arrow, batches, path)) is not None:
            yield _rows(arrow, batch.column(0), path, start)
            start += len(batch)
        lists = file.schema_arrow.field(column).type
        if not start and arrow.types.is_fixed_size_list(lists):
            # no rows have a width as well, which may be the wrong one
            yield np.empty((0, lists.list_size), lists.value_type.to_pandas_dtype())


def _next(arrow: ModuleType, batches: Iterator[Any], path: Path) -> Any:
    try:
        return next(batches, None)
    except (arrow.ArrowException, OSError) as error:
        raise ValueError(f"{path}: wanted a whole Parquet file, got {error}") from error


def _column(arrow: ModuleType, schema: Any, path: Path) -> str:
    types = arrow.types
    lists = [
        field.name
        for field in schema
        if types.is_fixed_size_list(field.type)
        or types.is_list(field.type)
        or types.is_large_list(field.type)
    ]
    if COLUMN in lists:
        return COLUMN
    if len(lists) != 1:
        raise ValueError(f"{path}: wanted a column {COLUMN!r} of lists, got {schema.names}")
    return str(lists[0])


def _rows(arrow: ModuleType, lists: Any, path: Path, start: int) -> Block:
    lengths = arrow.compute.list_value_length(lists).to_pylist()
    sizes = np.array([-1 if length is None else length for length in lengths])
    if len(sizes) and ((sizes != sizes[0]) | (sizes < 0)).any():
        row = int(np.argmax((sizes != sizes[0]) | (sizes < 0)))
        got = "no list" if sizes[row] < 0 else f"{sizes[row]} numbers behind {sizes[0]}"
        raise ValueError(f"{path}, row {start + row + 1}: wanted a vector, got {got}")
    values: Block = lists.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(lists), -1) if len(lists) else values.reshape(0, 0)


def _arrow() -> ModuleType:
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError(
            "wanted the packages of the extra `parquet`, got no pyarrow; "
            "run pip install 'rrnn_lit[parquet]'"
        ) from error
    arrow: ModuleType = pyarrow
    return arrow
