import json
from pathlib import Path

import pytest

from rrnn_lit.training.run_figures import figures_at


def line(step: int, words: float, split: str = "test") -> str:
    figures = {f"{split}/matched_words": words, f"{split}/matched_word_rate": words / 3}
    return json.dumps({"step": step, "life": 1, "train/loss": 0.5, **figures}) + "\n"


def summarise(folder: Path, step: int, words: int) -> None:
    split = {"weights": "last", "step": step, "max_words": 12, "matched_words": words}
    (folder / "summary.json").write_text(json.dumps({"splits": {"holdout": split, "tune": split}}))


def test_the_log_tells_the_figures_of_a_step(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(line(4, 10.0) + line(8, 20.0) + line(12, 30.0))
    assert figures_at(tmp_path, 8, "best", 12) == {
        "test": {
            "weights": "best",
            "step": 8,
            "max_words": 12,
            "matched_words": 20,
            "matched_word_rate": 6.666667,
        }
    }
    assert figures_at(tmp_path, 9, "best", 12) == {}


def test_of_repeated_steps_the_last_counts(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(line(8, 20.0) + line(8, 21.0) + line(8, 5.0, "tune"))
    figures = figures_at(tmp_path, 8, "best", 12)
    assert figures["test"]["matched_words"] == 21
    assert figures["tune"]["matched_words"] == 5


def test_the_summary_wins_where_its_weights_are_these(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(line(8, 20.0, "tune") + line(8, 20.0))
    summarise(tmp_path, 8, 22)
    figures = figures_at(tmp_path, 8, "best", 12)
    matched = {split: values["matched_words"] for split, values in figures.items()}
    assert matched == {"tune": 22, "test": 20, "holdout": 22}
    summarise(tmp_path, 12, 33)
    figures = figures_at(tmp_path, 8, "best", 12)
    matched = {split: values["matched_words"] for split, values in figures.items()}
    assert matched == {"tune": 20, "test": 20}


def test_a_line_that_was_cut_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(line(8, 20.0) + line(8, 21.0)[:-30])
    assert figures_at(tmp_path, 8, "best", 12)["test"]["matched_words"] == 20


def test_a_run_without_figures_has_none(tmp_path: Path) -> None:
    assert figures_at(tmp_path, 8, "best", 12) == {}


@pytest.mark.parametrize("name", ["metrics.jsonl", "summary.json"])
@pytest.mark.parametrize("content", ["[]\n", "nonsense\n", '{"splits": 3, "steps": 8}\n'])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=f"{name}.*: wanted"):
        figures_at(tmp_path, 8, "best", 12)
