"""Row 12: a run that came to its end goes on as if its end had always been later."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rrnn_lit.bench.faults.sentence_log import effective_sentences
from tests.faults.lives import TinyRun, keys_differing

FIRST_END, END = 35, 75


@pytest.mark.promise(12)
@pytest.mark.timeout(120)
def test_a_run_extended_from_35_to_75_steps_equals_a_straight_run(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    def tiny(name: str, steps: int) -> TinyRun:
        options = {"trainer.max_steps": steps, "trainer.val_check_interval": 10}
        return TinyRun(tmp_path / name / "run", prepared_folder, options)

    straight, extended = tiny("straight", END), tiny("extended", FIRST_END)
    assert straight.start() == 0
    assert extended.start() == 0
    assert extended.last()["global_step"] == FIRST_END
    assert extended.resume(arguments=[f"--trainer.max_steps={END}"]) == 0
    found = keys_differing(straight, extended)
    got(f"{len(found)} keys differ from a straight run")
    assert found == []
    received = [effective_sentences(run.sentences) for run in (straight, extended)]
    assert received[0] == received[1]
