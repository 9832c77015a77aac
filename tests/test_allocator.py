import platform
import subprocess
import sys

import pytest

from rrnn_lit.allocator import keep_freed_memory

# fresh pages that 20 arrays of 8 MB need, one after the other; 4 KB a page
_COUNT_PAGES = """
import resource, sys
import numpy as np
from rrnn_lit.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
np.ones(1 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(1 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_pages(mode: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _COUNT_PAGES, mode], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_repeated_arrays_need_no_fresh_pages() -> None:
    assert count_pages("keep") < 100


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("musl", "1"))
    assert not keep_freed_memory()
