import subprocess
import sys
import time

import pytest

from rrnn_lit.bench.faults.killer import ProcessKiller

_SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_one_process_dies_each_period_until_none_is_left() -> None:
    processes = [subprocess.Popen(_SLEEP) for _ in range(3)]
    numbers = [process.pid for process in processes]

    def alive() -> list[int]:
        return [process.pid for process in processes if process.poll() is None]

    with ProcessKiller(alive, 0.02) as killer:
        codes = [process.wait(20) for process in processes]
        time.sleep(0.06)  # nobody is left to kill: that is no error
    assert codes == [-9, -9, -9]
    assert set(killer.killed) == set(numbers)


def test_a_process_that_ended_by_itself_is_not_counted() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    with ProcessKiller(lambda: [ended.pid], 0.01) as killer:
        time.sleep(0.05)
    assert killer.killed == []


def test_a_period_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="period_s: wanted a number above 0, got 0"):
        ProcessKiller(list, 0)
