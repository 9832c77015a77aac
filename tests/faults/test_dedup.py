"""Duplicates of much text, with the system's own `sort` as the judge."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FEW, MANY = 300_000, 3_000_000


def dropped(folder: Path, num_lines: int) -> dict[str, Any]:
    """Drop the duplicates of so many lines in a new process."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.faults.dedup_child", str(folder), str(num_lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def count(path: Path, *options: str) -> int:
    """Return how many lines `sort` with these options gives."""
    with subprocess.Popen(
        ["sort", *options, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C", "TMPDIR": str(path.parent)},
    ) as child:
        assert child.stdout is not None
        lines = 0
        while block := child.stdout.read(1 << 20):
            lines += block.count(b"\n")
    assert child.returncode == 0
    return lines


@pytest.mark.promise(30)
@pytest.mark.timeout(240)
@pytest.mark.skipif(shutil.which("sort") is None, reason="no `sort` to judge by")
def test_duplicates_of_much_text_are_all_found_in_little_memory(
    tmp_path: Path, got: Callable[[str], None]
) -> None:
    few, many = dropped(tmp_path / "few", FEW), dropped(tmp_path / "many", MANY)
    unique = count(tmp_path / "many" / "all.txt", "-u")
    left = many["kept"] - count(tmp_path / "many" / "kept.txt", "-u")
    growth = many["peak_mb"] / few["peak_mb"] - 1
    got(
        f"{left} duplicates left of {MANY - unique:,} in {MANY:,} lines; "
        f"peak {many['peak_mb']:.0f} MB, {growth:+.0%} at 10x"
    )
    assert left == 0
    assert many["kept"] == unique
    assert growth <= 0.2


@pytest.mark.promise(30)
@pytest.mark.skipif(shutil.which("awk") is None, reason="no `awk` to judge by")
def test_the_first_of_equal_lines_is_the_one_that_stays(tmp_path: Path) -> None:
    dropped(tmp_path / "few", 60_000)
    awk = ["awk", "!seen[$0]++", str(tmp_path / "few" / "all.txt")]
    wanted = subprocess.run(awk, capture_output=True, check=True).stdout
    assert (tmp_path / "few" / "kept.txt").read_bytes() == wanted
