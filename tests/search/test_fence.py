import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
import pytest

from rrnn_lit.search.claims import Heartbeat, claim_trial
from rrnn_lit.search.fence import Fence
from rrnn_lit.search.storage import SweepStorage

INTERVAL_S, GRACE_S = 0.05, 0.5


@pytest.fixture
def heartbeat(sqlite_storage: SweepStorage) -> Heartbeat:
    """Not beating until it is entered."""
    study = optuna.create_study(storage=sqlite_storage, study_name="one")
    claim = claim_trial(study, sqlite_storage, 1)
    assert claim is not None
    return Heartbeat(sqlite_storage, claim, INTERVAL_S, GRACE_S)


@contextmanager
def child() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_child_whose_worker_cannot_beat_dies_before_others_may_have_its_trial(
    heartbeat: Heartbeat,
) -> None:
    begin = time.monotonic()
    assert heartbeat.left_s() <= GRACE_S - INTERVAL_S
    with child() as process, Fence(heartbeat, process.pid):
        assert heartbeat.lost.wait(10)
        assert process.wait(10) == -9
    assert time.monotonic() - begin > GRACE_S / 2, "it was not given its time"


def test_a_child_whose_worker_beats_lives(heartbeat: Heartbeat) -> None:
    with child() as process, heartbeat, Fence(heartbeat, process.pid):
        time.sleep(2 * GRACE_S)
        assert process.poll() is None
        assert not heartbeat.lost.is_set()


def test_a_child_that_ended_by_itself_is_no_error(heartbeat: Heartbeat) -> None:
    with child() as process:
        process.kill()
        process.wait()
        with Fence(heartbeat, process.pid):
            assert heartbeat.lost.wait(10)


def test_after_the_work_nobody_is_killed(heartbeat: Heartbeat) -> None:
    with child() as process:
        with Fence(heartbeat, process.pid):
            pass
        assert not heartbeat.lost.wait(2 * GRACE_S)
        assert process.poll() is None
