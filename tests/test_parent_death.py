import os
import signal
import sys
import time
from pathlib import Path

import pytest

from rrnn_lit.parent_death import die_with_parent
from tests.search.several_processes import is_alive
from tests.training.tiny import in_child


def test_a_process_lives_while_its_parent_does() -> None:
    parent = os.getpid()

    def work() -> int:
        die_with_parent(parent)
        return 3

    assert in_child(work) == 3


def test_a_process_whose_parent_has_gone_before_ends_at_once() -> None:
    another = os.getppid()

    def work() -> int:
        die_with_parent(another)
        return 3

    assert in_child(work) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child")
def test_a_process_dies_with_its_parent_even_where_it_stands_still(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    def parent() -> int:
        if os.fork() == 0:
            die_with_parent()
            (tmp_path / "new").write_text(str(os.getpid()), encoding="utf-8")
            (tmp_path / "new").rename(note)
            os.kill(os.getpid(), signal.SIGSTOP)
        while not note.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    assert in_child(parent) == -signal.SIGKILL
    end = time.monotonic() + 5
    while is_alive(int(note.read_text(encoding="utf-8"))):
        assert time.monotonic() < end, "the child outlived its parent"
        time.sleep(0.01)
