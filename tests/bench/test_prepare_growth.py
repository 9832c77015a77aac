from dataclasses import replace
from pathlib import Path

from rrnn_lit.bench.prepare_growth import Growth, describe, draw_growth, project

SMALL = Growth(1_000, 10.0, {"text": 8.0, "read": 1.0}, 100, 880, 150_000, 500, 300, 400, 200)
LARGE = replace(
    SMALL,
    sentences=3_000,
    seconds=26.0,
    stage_seconds={"text": 24.0, "read": 1.0},
    peak_rss=520,
    peak_disk=1_200,
)


def test_the_projection_lies_on_the_line_through_the_last_two_sizes() -> None:
    found = project([SMALL, LARGE], 11_000)
    assert (found.sentences, found.seconds) == (11_000, 90.0)
    assert found.stage_seconds == {"text": 88, "read": 1}
    assert (found.peak_rss, found.peak_disk) == (600, 4_400)


def test_one_size_alone_grows_in_proportion_but_for_memory() -> None:
    found = project([SMALL], 10_000)
    assert (found.seconds, found.peak_rss, found.peak_disk) == (100.0, 500, 4_000)


def test_a_size_is_described_and_drawn(tmp_path: Path) -> None:
    assert "1,000 sentences in 10 s, 100/s; peak 0 MB" in describe(SMALL)
    assert "microseconds a sentence: text 8000.0, read 1000.0" in describe(SMALL)
    draw_growth([SMALL, LARGE], tmp_path / "g.png")
    assert (tmp_path / "g.png").read_bytes()[:4] == b"\x89PNG"
