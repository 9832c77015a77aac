"""Full disks and a lack of memory, by limits that a process may set for itself."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/statm")


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes inside: a write fails as on a full disk.

    Python sees OSError (EFBIG), torch reports RuntimeError as it does for a full disk. Processes
    that are started inside inherit the limit.
    """
    with _soft_limit(resource.RLIMIT_FSIZE, size):
        yield


@contextmanager
def memory_limit(further: int) -> Iterator[None]:
    """At most `further` bytes of address space may be added inside: allocations fail.

    Python sees MemoryError, torch reports RuntimeError of its allocator. Address space counts,
    not memory in use: mapped files and the stacks of threads too.

    Raises:
        OSError: the system does not tell how much is in use; Linux does.
    """
    pages = int(_STATUS.read_text(encoding="ascii").split()[0])
    with _soft_limit(resource.RLIMIT_AS, pages * resource.getpagesize() + further):
        yield


@contextmanager
def _soft_limit(which: int, value: int) -> Iterator[None]:
    before, hard = resource.getrlimit(which)
    resource.setrlimit(which, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(which, (before, hard))
