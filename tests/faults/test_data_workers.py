"""Row 3: how many processes load the batches changes nothing, not even across a death."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rrnn_lit.bench.faults.signals import SignalAt
from tests.faults.lives import TinyRun

OPTIONS = {"trainer.max_steps": 12}


@pytest.mark.promise(3)
@pytest.mark.timeout(120)
def test_a_run_resumed_with_other_data_workers_ends_with_the_same_digest(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    straight = TinyRun(tmp_path / "straight" / "run", prepared_folder, OPTIONS)
    assert straight.start() == 0
    dead = TinyRun(tmp_path / "dead" / "run", prepared_folder, OPTIONS)
    assert dead.start(SignalAt("on_before_backward", 5, "SIGKILL")) == -9
    digests = []
    for workers in (0, 2, 3, 1):
        run = dead.copy(tmp_path / f"workers-{workers}" / "run")
        assert run.resume(arguments=[f"--data.num_workers={workers}"]) == 0
        digests.append(run.digest())
    wrong = sum(digest != straight.digest() for digest in digests)
    got(f"{wrong} of {len(digests)} digests differ")
    assert wrong == 0
