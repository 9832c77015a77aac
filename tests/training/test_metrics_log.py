import json
from pathlib import Path

import pytest

from rrnn_lit.training.metrics_log import MetricsLog, read_metrics


def log_life(folder: Path, steps: list[int]) -> None:
    log = MetricsLog(folder)
    for step in steps:
        log.log_metrics({"train/loss": step / 2, "epoch": 0}, step=step)


def test_a_line_holds_step_time_life_and_figures(tmp_path: Path) -> None:
    log_life(tmp_path, [10])
    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert list(record) == ["step", "time", "life", "train/loss"]
    assert (record["step"], record["life"], record["train/loss"]) == (10, 1, 5.0)


def test_nothing_is_written_before_the_first_figure(tmp_path: Path) -> None:
    MetricsLog(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_each_start_of_a_run_is_a_life(tmp_path: Path) -> None:
    for _ in range(3):
        log_life(tmp_path, [1, 2])
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["life"] for line in lines] == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("torn", [b'{"step": 30, "ti', b"{", b'{"step": 30}'])
def test_a_torn_last_line_is_cut(tmp_path: Path, torn: bytes) -> None:
    log_life(tmp_path, [10, 20])
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + torn)
    log_life(tmp_path, [20, 30])
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(r["step"], r["life"]) for r in records] == [(10, 1), (20, 1), (20, 2), (30, 2)]


def test_a_reader_ignores_a_line_in_the_making(tmp_path: Path) -> None:
    log_life(tmp_path, [10])
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'{"step": 20, "ti')
    assert [r["step"] for r in read_metrics(path)] == [10]


def test_repeated_steps_are_read_once_from_the_latest_life(tmp_path: Path) -> None:
    log_life(tmp_path, [10, 20, 20, 30])  # two lines of one step: training and evaluation
    log_life(tmp_path, [20, 20])
    log_life(tmp_path, [30, 40])
    records = read_metrics(tmp_path / "metrics.jsonl")
    assert [(r["step"], r["life"]) for r in records] == [
        (10, 1),
        (20, 2),
        (20, 2),
        (30, 3),
        (40, 3),
    ]


@pytest.mark.parametrize(
    "line",
    [
        *("garbage", "[1]", '{"step": 3}', '{"step": "a", "life": 1}'),
        *('{"step": 1e999, "life": 1}', "[" * 100_000),
    ],
    ids=range(6),
)
def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(f'{{"step": 1, "life": 1}}\n{line}\n')
    message = f"{path}, line 2: wanted a JSON object with step and life, got"
    with pytest.raises(ValueError, match=message):
        MetricsLog(tmp_path)
    with pytest.raises(ValueError, match=message):
        read_metrics(path)
    assert path.read_text().endswith(f"{line}\n")
