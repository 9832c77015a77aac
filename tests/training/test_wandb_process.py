import json
from pathlib import Path
from typing import Any

from rrnn_lit.training.wandb_mirror import WandbMirror
from rrnn_lit.training.wandb_process import Plan, Tail, earlier_records


def write(path: Path, *records: tuple[int, int], **more: Any) -> int:
    """Write lines of (step, life); return the size."""
    lines = [json.dumps({"step": step, "life": life, **more}) + "\n" for step, life in records]
    path.write_text("".join(lines), encoding="utf-8")
    return path.stat().st_size


def steps(records: list[dict[str, Any]]) -> list[int]:
    return [record["step"] for record in records]


def test_a_resumed_run_shows_again_what_leads_up_to_it(tmp_path: Path) -> None:
    metrics = write(tmp_path / "metrics.jsonl", (2, 1), (4, 1), (6, 1), (5, 2), (7, 2), (9, 2))
    tables = write(tmp_path / "wandb_tables.jsonl", (4, 0), (8, 0), table="a")
    plan = Plan(str(tmp_path), 8, metrics, tables, {})
    assert steps(earlier_records(plan, known=0)) == [2, 4, 4, 5, 7, 8]
    assert steps(earlier_records(plan, known=5)) == [5, 7, 8]
    assert steps(earlier_records(Plan(str(tmp_path), 4, metrics, 0, {}), known=0)) == [2, 4]
    assert earlier_records(Plan(str(tmp_path), 0, 0, 0, {}), known=0) == []


def test_lines_are_read_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = Tail(path, 0)
    assert tail.new_records() == []
    path.write_text('{"step": 1}\n{"st', encoding="utf-8")
    assert steps(tail.new_records()) == [1]
    with path.open("a") as file:
        file.write('ep": 2}\nno JSON\n{"step": 3}\n')
    assert steps(tail.new_records()) == [2, 3]
    assert tail.new_records() == []


def test_a_mirror_that_never_started_has_nothing_to_do(tmp_path: Path) -> None:
    mirror = WandbMirror(tmp_path, {"project": "p", "id": "1"})
    mirror.log_metrics({"a": 1.0}, 1)
    mirror.log_table("t", ["a"], [["b"]], 1)
    mirror.close(0, "finished")
    assert list(tmp_path.iterdir()) == []
