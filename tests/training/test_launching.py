import os
import signal

import pytest
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from rrnn_lit.training.launching import launching
from tests.training.tiny import in_child


def as_started_by(process: int, local_rank: str) -> int:
    """Return how a process ends that a first process of this number seems to have started."""

    def work() -> int:
        os.environ |= {"RRNN_FIRST_PROCESS": str(process), "LOCAL_RANK": local_rank}
        launching(None)
        return 3

    return in_child(work)


def test_a_further_process_lives_with_the_first_one() -> None:
    assert as_started_by(os.getpid(), "1") == 3


def test_a_further_process_whose_first_one_is_gone_ends_before_it_waits_for_it() -> None:
    assert as_started_by(os.getppid(), "1") == -signal.SIGKILL
    assert as_started_by(os.getppid(), "0") == 3


def test_what_is_launched_knows_by_whom_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")  # the processes are there: none is started
    launcher = launching(_SubprocessScriptLauncher(LightningEnvironment(), 1, 1))
    assert launcher is not None
    found = launcher.launch(lambda: os.environ.get("RRNN_FIRST_PROCESS"))
    assert found == str(os.getpid())
    assert "RRNN_FIRST_PROCESS" not in os.environ
