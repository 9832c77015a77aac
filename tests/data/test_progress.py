import io

import pytest
from rich.console import Console

from rrnn_lit.data.progress import Stage, StageProgress


def test_without_a_terminal_each_stage_ends_with_a_line_and_is_timed() -> None:
    printed = io.StringIO()
    progress = StageProgress(Console(file=printed))
    with progress.stage("text", 30, "sentences"):
        progress.advance(10, reused=True)
        progress.advance(20)
    assert "text: 30 sentences in " in printed.getvalue()
    timing = progress.timing["text"]
    assert timing["sentences"] == 30
    assert timing["per_second"] > 0


def test_a_terminal_gets_a_bar() -> None:
    printed = io.StringIO()
    progress = StageProgress(Console(file=printed, force_terminal=True, width=120))
    with progress.stage("text", 30, "sentences"):
        progress.advance(30)
    assert "30 sentences" in printed.getvalue()
    assert "left" in printed.getvalue()


def test_rate_and_time_left_ignore_reused_units(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage("text", 100, "sentences")
    stage.done, stage.reused = 60, 50
    monkeypatch.setattr("time.monotonic", lambda: stage.started + 5.0)
    assert stage.line() == "text: 60 of 100 sentences, 2/s, 20 s left"
