from pathlib import Path

from rrnn_lit.training.effective_time import Event
from rrnn_lit.training.run_events import append_event, read_events, read_logged_steps

START = Event("start", 0, 1000.5, 1, 0.0, "new")
END = Event("end", 7, 1010.25, 1, 9.5, "SIGTERM")


def test_events_come_back_in_order_and_a_torn_line_harms_none(tmp_path: Path) -> None:
    append_event(tmp_path / "run", START)
    path = tmp_path / "run" / "events.jsonl"
    with open(path, "ab") as file:
        file.write(b'{"event": "st')
    append_event(tmp_path / "run", END)
    assert read_events(tmp_path / "run") == [START, END]


def test_a_folder_without_records_has_none(tmp_path: Path) -> None:
    assert read_events(tmp_path) == []
    assert read_logged_steps(tmp_path) == []


def test_steps_done_again_are_among_the_logged_ones(tmp_path: Path) -> None:
    lines = '{"step": 3, "life": 1}\n{"step": 6, "life": 1}\n{"step": 6, "life": 2}\n{"st'
    (tmp_path / "metrics.jsonl").write_text(lines)
    assert read_logged_steps(tmp_path) == [(1, 3), (1, 6), (2, 6)]
