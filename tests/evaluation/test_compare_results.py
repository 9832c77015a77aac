import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.evaluation.compare_file import Variant
from rrnn_lit.evaluation.compare_results import Point, as_json, equal_seconds, read_result
from tests.evaluation.comparing import make_result

VARIANT = Variant("gru", "GRU", "baseline", {})


def line(step: int, life: int = 1, **figures: float) -> dict[str, Any]:
    names = {
        "loss": "train/loss",
        "speed": "train/sentences_per_second",
        "seen": "train/sentences",
        "words": "tune/matched_word_rate",
    }
    return {"step": step, "life": life, **{names[k]: v for k, v in figures.items()}}


def write_run(folder: Path, lines: list[dict[str, Any]], steps: int, cell: str | None) -> None:
    model = {} if cell is None else {"cell": cell}
    (folder / "config.yaml").write_text(yaml.safe_dump({"model": model}), encoding="utf-8")
    summary = {"steps": steps, "sentences": steps * 10, "splits": {}}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    text = "".join(json.dumps(record) + "\n" for record in lines)
    (folder / "metrics.jsonl").write_text(text, encoding="utf-8")


def test_time_is_added_up_from_the_speed_of_training(tmp_path: Path) -> None:
    # 100 sentences at 50 a second, 200 at 20, and 50 more at the pace of the whole
    lines = [
        line(10, loss=9.0, speed=50.0, seen=100.0),
        line(20, words=0.3),
        line(30, loss=7.0, speed=20.0, seen=300.0),
        line(35, words=0.6),
    ]
    write_run(tmp_path, lines, steps=35, cell="gru")
    result = read_result(VARIANT, tmp_path)
    assert result.cell == "gru"
    assert result.loss == 7.0
    # step 20 is halfway between the log lines
    assert result.curve == (Point(20, 2 + 5, 0.3), Point(35, 12 * 35 / 30, 0.6))
    assert result.seconds == pytest.approx(14)
    assert result.sentences_per_second == pytest.approx(350 / 14)


def test_what_a_resumed_run_did_twice_counts_once(tmp_path: Path) -> None:
    lines = [
        line(10, speed=50.0, seen=100.0, loss=1.0),
        line(20, speed=50.0, seen=200.0, loss=1.0),
        line(20, life=2, speed=25.0, seen=200.0, loss=1.0),
    ]
    write_run(tmp_path, lines, steps=20, cell=None)
    result = read_result(VARIANT, tmp_path)
    assert result.seconds == pytest.approx(2 + 4)
    assert result.cell == "residual"


def test_a_run_without_log_lines_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, [line(5, words=0.1)], steps=5, cell=None)
    with pytest.raises(ValueError, match="wanted log lines of training, got none"):
        read_result(VARIANT, tmp_path)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, 0.0), (25, 0.125), (50, 0.25), (60, 0.3), (100, 0.5), (300, 0.5)]
)
def test_words_at_a_time_lie_on_the_curve(seconds: float, words: float) -> None:
    assert make_result().words_at(seconds) == pytest.approx(words)


def test_equal_time_is_that_of_the_fastest() -> None:
    fast = make_result("fast", seconds=40.0, curve=(Point(200, 40.0, 0.4),))
    results = [make_result(), fast]
    assert equal_seconds(results) == 40
    content = as_json(results, {"bad": "no luck"})
    assert json.loads(json.dumps(content)) == content
    assert content["failed"] == {"bad": "no luck"}
    words = [v["tune_words_at_equal_seconds"] for v in content["variants"]]
    assert words == [pytest.approx(0.2), pytest.approx(0.4)]
    assert content["variants"][0]["curve"][0] == {
        "step": 100,
        "training_seconds": 50.0,
        "tune_words": 0.25,
    }
