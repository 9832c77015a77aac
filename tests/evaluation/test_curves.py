from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rrnn_lit.evaluation.curves import plot_curves, series
from rrnn_lit.training.metrics_log import MetricsLog
from rrnn_lit.training.owner import RunOwnedError


def test_series_of_the_records_that_hold_a_key() -> None:
    records = [{"step": 1, "a": 0.5}, {"step": 2, "b": 1.0}, {"step": 3, "a": 0.25}]
    assert series(records, "a") == ([1, 3], [0.5, 0.25])
    assert series(records, "c") == ([], [])


@pytest.mark.parametrize("num_records", [1, 40])
def test_picture_of_a_run(tmp_path: Path, num_records: int) -> None:
    log = MetricsLog(tmp_path)
    for step in range(num_records):
        figures = {"train/loss": 1 / (step + 1), "test/matched_word_rate": step / 50}
        log.log_metrics(figures, step=step)
    picture = plot_curves(tmp_path)
    assert picture == tmp_path / "curves.png"
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert content.endswith(b"IEND\xaeB`\x82")


def test_picture_shows_the_curve(tmp_path: Path) -> None:
    pictures = []
    for slope in (1, -1):
        folder = tmp_path / "run"
        log = MetricsLog(folder)
        for step in range(20):
            log.log_metrics({"train/loss": 100.0 + slope * step}, step=step)
        pictures.append(plot_curves(folder).read_bytes())
        (folder / "metrics.jsonl").unlink()
    assert pictures[0] != pictures[1]


def test_letters_that_the_font_lacks_are_no_warning(tmp_path: Path) -> None:
    folder = tmp_path / "日本"
    folder.mkdir()
    (folder / "metrics.jsonl").write_text('{"step": 1, "life": 1, "train/loss": 2.0}\n')
    assert plot_curves(folder).is_file()


def test_whoever_has_lost_the_folder_writes_no_picture(tmp_path: Path) -> None:
    @contextmanager
    def lost() -> Iterator[None]:
        raise RunOwnedError(tmp_path, "another")
        yield

    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "life": 1, "train/loss": 1.0}\n')
    with pytest.raises(RunOwnedError):
        plot_curves(tmp_path, lost)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
