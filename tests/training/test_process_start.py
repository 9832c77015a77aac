import os
import time
from pathlib import Path

import pytest

from rrnn_lit.training.process_start import PROCESSES, start_ticks

pytestmark = pytest.mark.skipif(not (PROCESSES / "self" / "stat").exists(), reason="needs /proc")


def test_a_process_started_after_its_parent_and_before_now() -> None:
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    own, started = start_ticks(os.getpid()), start_ticks(child)
    os.kill(child, 9)
    assert own is not None
    assert started is not None
    now = time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")
    assert own <= started <= now
    while Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2][1] != "Z":
        time.sleep(0.01)
    assert start_ticks(child) is None  # only its exit code is left
    os.waitpid(child, 0)
    assert start_ticks(child) is None


def test_a_name_with_brackets_and_spaces_is_no_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rrnn_lit.training.process_start.PROCESSES", tmp_path)
    (tmp_path / "7").mkdir()
    fields = " ".join(["S", *map(str, range(4, 53))])
    (tmp_path / "7" / "stat").write_text(f"7 (a) b) {fields}", encoding="utf-8")
    assert start_ticks(7) == 22
