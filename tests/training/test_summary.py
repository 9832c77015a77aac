import io
from pathlib import Path

import pytest
from rich.console import Console

from rrnn_lit import cli as command
from rrnn_lit.training.summary import add_split, print_summary, read_summary, split_figures
from tests.training.conftest import Fit
from tests.training.tiny import load

FIGURES = ("matched_word_rate", "exact_sentence_rate", "matched_words", "num_words")


def test_counts_are_integers_and_other_splits_stay_out() -> None:
    metrics = {
        "test/matched_words": 3.0,
        "test/num_sentences": 2.0,
        "test/matched_word_rate": 0.12345678,
        "tune/matched_words": 9.0,
        "train/loss": 1.0,
    }
    figures = split_figures(metrics, "test")
    assert figures == {"matched_words": 3, "num_sentences": 2, "matched_word_rate": 0.123457}
    assert isinstance(figures["matched_words"], int)


def test_summary_of_a_run_and_its_holdout(fit: Fit, run_folder: Path) -> None:
    cli = fit()
    summary = read_summary(run_folder)
    assert summary["steps"] == 10
    assert summary["sentences"] == 10 * 8
    assert summary["seconds"] >= 0
    assert summary["stop_reason"] == "trainer.max_steps=10 reached"
    assert 0 < summary["effective_training_time"] < 1
    assert (summary["starts"], summary["lost_steps"]) == (1, 0)
    assert summary["num_parameters"] == sum(p.numel() for p in cli.model.parameters())
    assert summary["bytes_per_vector"] == 2 * 16
    assert list(summary["splits"]) == ["tune", "test"]
    for figures in summary["splits"].values():
        assert set(FIGURES) <= set(figures)
        assert figures["matched_word_rate"] == pytest.approx(
            figures["matched_words"] / figures["num_words"], abs=1e-6
        )
        assert sum(figures["by_length"]["num_words"]) == figures["num_words"]
        assert (figures["weights"], figures["step"], figures["max_words"]) == ("last", 10, 12)
    assert command.main(["test", "--run", str(run_folder)]) == 0
    after = read_summary(run_folder)
    holdout = after["splits"].pop("holdout")
    assert set(FIGURES) <= set(holdout)
    best = load(run_folder / "checkpoints" / "best.ckpt")["global_step"]
    assert best < 10
    assert (holdout["weights"], holdout["step"], holdout["max_words"]) == ("best", best, 12)
    assert after == summary


def test_an_evaluation_of_other_weights_and_lengths_says_so(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 4})
    last = ["--ckpt_path", str(run_folder / "checkpoints" / "last.ckpt")]
    options = ["--data.max_words", "8", "--data.batch_size", "3"]
    assert command.main(["test", "--run", str(run_folder), *last, *options]) == 0
    holdout = read_summary(run_folder)["splits"]["holdout"]
    assert (holdout["weights"], holdout["step"], holdout["max_words"]) == ("last", 4, 8)
    assert len(holdout["by_length"]["num_words"]) <= 9


def test_summary_counts_the_final_weights(fit: Fit, run_folder: Path, straight_run: Path) -> None:
    # the last check of the stop rule is at step 8, the run ends at step 10
    final = read_summary(straight_run)["splits"]["test"]["matched_words"]
    fit({"trainer.val_check_interval": 5})
    assert final == read_summary(run_folder)["splits"]["test"]["matched_words"]
    stopping = load(straight_run / "checkpoints/last.ckpt")["callbacks"]["MatchedWordsStopping"]
    assert stopping["best_step"] <= 8, "the count of the end is no check of the stop rule"


def test_a_run_without_any_check_has_a_summary_too(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 3})
    assert read_summary(run_folder)["splits"]["test"]["num_sentences"] == 20
    assert command.main(["test", "--run", str(run_folder)]) == 0


def test_a_folder_without_a_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run.folder: wanted a finished run with summary.json"):
        add_split(tmp_path, "holdout", {})


def test_table_shows_every_split(straight_run: Path) -> None:
    summary = read_summary(straight_run)
    summary["splits"]["test"].update(matched_word_rate=0.97, strict_exact_sentence_rate=0.5)
    summary.update(effective_training_time=0.9312, starts=3, lost_steps=1200)
    out = io.StringIO()
    print_summary(summary, Console(file=out, width=200))
    line = "93.1% of the time since the first start was training; 3 starts, 1,200 steps done again"
    assert line in out.getvalue()
    header, *rows = (
        [cell.strip() for cell in line.replace("┃", "│").split("│")[1:-1]]
        for line in out.getvalue().splitlines()
        if line.startswith(("┃", "│"))
    )
    assert len(set(header)) == len(header)
    assert [row[0] for row in rows] == ["tune", "test"]
    assert rows[1][header.index("words")] == "97.00%"
    assert rows[1][header.index("weights")] == "last, step 10"
    assert rows[1][header.index("longest")] == "12"
    assert rows[1][header.index("strict exact")] == "50.00%"


@pytest.mark.parametrize("content", ["{", "[]", '{"steps": 3}'])
def test_a_damaged_summary_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(ValueError, match="summary.json: wanted the summary of a run, got"):
        read_summary(tmp_path)
