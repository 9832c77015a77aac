import json
from pathlib import Path

from rrnn_lit.bench.faults.sentence_log import (
    SentenceLog,
    effective_sentences,
    lost_and_repeated,
)
from tests.bench.faults.toy import train


def test_every_batch_is_noted_with_its_step(tmp_path: Path) -> None:
    train(SentenceLog(str(tmp_path / "log")), steps=3)
    assert effective_sentences(tmp_path / "log") == [(0, [0, 7]), (1, [2, 7]), (2, [4, 7])]


def test_a_start_takes_back_the_steps_behind_its_checkpoint(tmp_path: Path) -> None:
    records = [
        {"start": 0},
        *({"step": step, "sentences": [step]} for step in range(4)),
        {"start": 2},  # killed in step 3, whose batch was received
        {"step": 2, "sentences": [20]},
        {"step": 2, "sentences": [21]},  # accumulated
        {"start": 3},
        {"step": 3, "sentences": [30]},
    ]
    (tmp_path / "log").write_text("".join(json.dumps(r) + "\n" for r in records))
    kept = [(0, [0]), (1, [1]), (2, [20]), (2, [21]), (3, [30])]
    assert effective_sentences(tmp_path / "log") == kept


def test_lost_and_repeated_sentences_are_counted_step_by_step() -> None:
    straight = [(0, [1, 2]), (1, [3, 4])]
    assert lost_and_repeated(straight, straight) == (0, 0)
    assert lost_and_repeated(straight, [(0, [1, 2]), (1, [3])]) == (1, 0)
    assert lost_and_repeated(straight, [(0, [1, 2, 2]), (1, [3, 4])]) == (0, 1)
    assert lost_and_repeated(straight, [(0, [3, 4]), (1, [1, 2])]) == (4, 4)
