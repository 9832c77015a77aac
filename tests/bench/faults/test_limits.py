import resource
from pathlib import Path

import pytest
import torch

from rrnn_lit.bench.faults.limits import file_size_limit, memory_limit
from tests.training.tiny import in_child


def test_a_file_cannot_grow_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with file_size_limit(1000):
        path.write_bytes(bytes(1000))
        with pytest.raises(OSError, match="File too large"):
            path.write_bytes(bytes(1001))
    path.write_bytes(bytes(1001))


def test_torch_reports_it_as_it_does_a_full_disk(tmp_path: Path) -> None:
    with file_size_limit(10_000), pytest.raises(RuntimeError, match="unexpected pos|write failed"):
        torch.save(torch.zeros(100_000), tmp_path / "file")


def test_memory_beyond_the_limit_is_refused_and_the_limit_is_put_back() -> None:
    def run() -> int:
        before = resource.getrlimit(resource.RLIMIT_AS)
        with memory_limit(50_000_000):
            torch.zeros(1_000_000)
            for ask in (lambda: bytes(2 * 10**9), lambda: torch.empty(10**9)):
                try:
                    ask()
                except (MemoryError, RuntimeError):
                    continue
                return 1
        return int(resource.getrlimit(resource.RLIMIT_AS) != before)

    assert in_child(run) == 0
