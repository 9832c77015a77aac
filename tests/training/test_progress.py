import io

import pytest
from rich.console import Console

from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.progress import StepsProgress, clock_text, progress_text
from tests.training.conftest import WriteConfig


def test_shows_the_figures_that_exist_in_a_fixed_order() -> None:
    metrics = {
        "test/matched_word_rate": 0.9,
        "train/loss": 12.34567,
        "train/sentences_per_second": 12345.6,
        "test/num_words": 5,
    }
    assert progress_text(metrics) == "loss 12.346  sent/s 12,346  test 90.0%"
    assert progress_text({}) == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0:00:00"), (59.9, "0:00:59"), (3723.0, "1:02:03")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def train(write_config: WriteConfig, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=160)
    options = {"trainer.max_steps": 8, "trainer.enable_progress_bar": True}
    cli = RRNNCLI(["--config", str(write_config(options))], run=False)
    bars = [c for c in cli.trainer.callbacks if isinstance(c, StepsProgress)]  # type: ignore[attr-defined]
    cli.trainer.callbacks[cli.trainer.callbacks.index(bars[0])] = StepsProgress(console)  # type: ignore[attr-defined]
    cli.trainer.fit(cli.model, datamodule=cli.datamodule)
    return out.getvalue()


def test_plain_lines_where_there_is_no_terminal(write_config: WriteConfig) -> None:
    lines = train(write_config, terminal=False).splitlines()
    assert [line.split("  ")[0] for line in lines] == ["step 4/8", "step 8/8"]
    assert "tune" in lines[0]
    assert "left 0:00:0" in lines[0]


def test_live_bar_in_a_terminal(write_config: WriteConfig) -> None:
    text = train(write_config, terminal=True)
    assert "8/8" in text
    assert "dropped" in text
    assert "step 4/8" not in text
