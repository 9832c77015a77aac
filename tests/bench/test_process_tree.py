import os
import sys
from pathlib import Path

import pytest

from rrnn_lit.bench.process_tree import folder_bytes, run_watched, tree_rss

GROWS = """
import subprocess, sys, time
block = bytearray(60_000_000)
open(sys.argv[1] + "/f", "wb").write(bytes(3_000_000))
subprocess.run([sys.executable, "-c", "import time; b = bytearray(90_000_000); time.sleep(1)"])
"""


def test_memory_of_children_and_bytes_of_the_folder_are_seen(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    command = [sys.executable, "-c", GROWS, str(folder)]
    seconds, peaks = run_watched(command, folder, tmp_path / "log")
    assert seconds > 1
    assert 150e6 < peaks.rss < 300e6
    assert 90e6 < peaks.largest_rss < 150e6
    assert folder_bytes(folder) >= 3_000_000


def test_a_program_that_fails_is_an_error_with_its_last_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('first'); raise SystemExit('no room')"]
    with pytest.raises(OSError, match="ended with 1: no room"):
        run_watched(command, tmp_path, tmp_path / "log")


def test_this_process_is_in_its_tree() -> None:
    assert max(tree_rss(os.getpid())) > 1_000_000
