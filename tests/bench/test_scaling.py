import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes

from rrnn_lit.bench.recurrent import RnnOptions
from rrnn_lit.bench.result import Row
from rrnn_lit.bench.scaling import Point, measure, predicted, write

OPTIONS = RnnOptions(hidden_size=64, num_steps=16, batch_size=8, repeats=1)


def row(peer: str, seconds: float | None, options: RnnOptions) -> Row:
    floor = None if seconds is None else 0.5
    return Row("rnn", peer, seconds, None, "", floor, {"hidden_size": options.hidden_size}, {})


def cost(options: RnnOptions) -> list[Row]:
    seconds = 1e-6 * options.hidden_size * options.num_steps * options.batch_size
    slower = None if options.hidden_size == 8 else 2 * seconds
    return [row("ours", seconds, options), row("loop", slower, options)]


@pytest.fixture
def points() -> list[Point]:
    return measure("rnn", cost, OPTIONS, lambda line: None)


def test_one_size_grows_at_a_time(points: list[Point]) -> None:
    places = [(p.axis, p.value) for p in points]
    assert places[:5] == [("hidden_size", n) for n in (8, 16, 32, 64, 128)]
    assert places[5:10] == [("num_steps", n) for n in (2, 4, 8, 16, 32)]
    assert places[10:] == [("batch_size", n) for n in (1, 2, 4, 8, 16)]
    assert [p.value for p in points if p.is_base] == [64, 16, 8]


def test_the_common_place_is_measured_once_with_the_main_peer_alone() -> None:
    asked: list[RnnOptions] = []
    lines: list[str] = []

    def run(options: RnnOptions) -> list[Row]:
        asked.append(options)
        return cost(options)

    measure("rnn", run, OPTIONS, lines.append)
    assert len(asked) == len(set(asked)) == len(lines) == 13
    assert {options.peers for options in asked} == {"autograd loop"}
    assert lines[0] == "rnn: hidden_size 8"


def test_a_size_that_is_too_small_is_refused_before_anything_is_measured() -> None:
    def run(options: RnnOptions) -> list[Row]:
        raise AssertionError

    with pytest.raises(ValueError, match="--batch_size: wanted a number of at least 1, got 0"):
        measure("rnn", run, RnnOptions(hidden_size=64, num_steps=16, batch_size=2), print)


def test_the_prediction_meets_the_measured_time_at_the_base() -> None:
    assert predicted([1.0, 2.0, 4.0], [False, True, False], 3.0) == [1.5, 3.0, 6.0]


def test_picture_and_rows_are_written(points: list[Point], tmp_path: Path) -> None:
    numbers, picture = write("rnn", points, tmp_path)
    # the common place once, though three curves share it
    assert len(json.loads(numbers.read_text(encoding="utf-8"))) == 2 * 13
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(tmp_path.iterdir()) == [numbers, picture]


def test_every_peer_has_a_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = ["ours", "a", "b", "c", "d", "e", "f"]
    drawn: set[str] = set()
    plot = Axes.plot

    def spy(self: Axes, *arguments: Any, **options: Any) -> Any:
        drawn.add(options["label"])
        return plot(self, *arguments, **options)

    monkeypatch.setattr(Axes, "plot", spy)
    rows = [row(peer, 1e-3, OPTIONS) for peer in peers]
    write("rnn", measure("rnn", lambda options: rows, OPTIONS, lambda line: None), tmp_path)
    assert drawn >= set(peers)
