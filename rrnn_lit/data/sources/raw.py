"""RawSource: one face for the three kinds of raw text, cut into tasks of a bounded size."""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rrnn_lit.data.manifest import file_digest
from rrnn_lit.data.sources.docstrings import dependency_versions, docstring_files, file_sentences
from rrnn_lit.data.sources.files import FileSentences, is_packed

LINES_PER_SHARD = 10_000  # part of the order of the results
SOURCE_BYTES_PER_SHARD = 2_000_000  # of Python source


@dataclass(frozen=True)
class ReadTask:
    """What one shard is made of: lines, or Python files whose docstrings to read."""

    number: int
    lines: tuple[str, ...] = ()
    python_files: tuple[Path, ...] = ()

    def sentences(self) -> list[str]:
        """Return the raw sentences of the shard."""
        read = [sentence for path in self.python_files for sentence in file_sentences(path)]
        return [*self.lines, *read]


class TextFiles:
    """Sentences of text files.

    Args:
        paths: existing files, in order.
        max_sentences: read no more than this; None reads all.
    """

    unit = "bytes"

    def __init__(self, paths: list[Path], max_sentences: int | None) -> None:
        self._paths, self._max_sentences = paths, max_sentences
        self.sentences = FileSentences(paths)
        self.total: int | None = self.sentences.total_bytes if max_sentences is None else None
        self.packed_bytes = sum(path.stat().st_size for path in paths if is_packed(path))

    def inputs(self) -> dict[str, Any]:
        """Return names, sizes and digests of the files, without their folders."""
        files = [
            {"name": path.name, "bytes": path.stat().st_size, "sha256": file_digest(path)}
            for path in self._paths
        ]
        return {"files": files}

    def tasks(self) -> Iterator[tuple[ReadTask, int]]:
        """Yield each shard's task and how many units were read for it."""
        lines = itertools.islice(self.sentences, self._max_sentences)
        before = 0
        for number in itertools.count():
            block = tuple(itertools.islice(lines, LINES_PER_SHARD))
            if not block:
                return
            yield ReadTask(number, lines=block), self.sentences.num_bytes - before
            before = self.sentences.num_bytes

    def counters(self) -> dict[str, int]:
        """Return what was counted while reading."""
        return {"blank_lines": self.sentences.num_blank}


class Docstrings:
    """Sentences of the docstrings of this project's dependencies."""

    unit = "files"

    def __init__(self) -> None:
        self._files = docstring_files()
        self.total: int | None = len(self._files)

    def inputs(self) -> dict[str, Any]:
        """Return the packages read, and a digest over file names and sizes."""
        names = "".join(f"{path.name} {size}\n" for path, size in self._files)
        digest = hashlib.sha256(names.encode()).hexdigest()
        return {
            "packages": dependency_versions(),
            "python_files": {"number": len(self._files), "names_and_sizes_sha256": digest},
        }

    def tasks(self) -> Iterator[tuple[ReadTask, int]]:
        """Yield each shard's task and how many units it holds."""
        block: list[Path] = []
        size = number = 0
        for path, num_bytes in self._files:
            block.append(path)
            size += num_bytes
            if size >= SOURCE_BYTES_PER_SHARD:
                yield ReadTask(number, python_files=tuple(block)), len(block)
                block, size, number = [], 0, number + 1
        if block:
            yield ReadTask(number, python_files=tuple(block)), len(block)

    def counters(self) -> dict[str, int]:
        """Return what was counted while reading."""
        return {"python_files": len(self._files)}


RawSource = TextFiles | Docstrings
