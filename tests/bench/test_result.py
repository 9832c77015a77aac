import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from rrnn_lit.bench.result import Peer, absent_row, duration, make_rows, print_rows, write_rows

KEYS = [
    "case",
    "peer",
    "seconds",
    "times_ours",
    "correct",
    "floor_share",
    "sizes",
    "versions",
    "note",
]
PEERS = {
    "ours": Peer("0 of 8 rows wrong", "bf16", floor_seconds=0.01),
    "other": Peer("1 of 8 rows wrong", "fp32", "rich", "slow"),
}
SIZES = {"rows": 8, "vocab_size": 50_000}
ROWS = make_rows("match", SIZES, {"ours": 0.04, "other": 0.1}, PEERS, "ours")
ABSENT = absent_row("match", "faiss", SIZES, "no module named faiss")


def printed() -> str:
    text = io.StringIO()
    print_rows([*ROWS, ABSENT], Console(file=text, width=100))
    return text.getvalue()


def test_times_ours_is_the_peers_time_over_ours() -> None:
    assert [row.times_ours for row in ROWS] == [1.0, 2.5]


def test_floor_share_is_the_floor_over_the_time() -> None:
    assert [row.floor_share for row in ROWS] == [0.25, None]


def test_versions_name_the_peers_package_threads_and_precision() -> None:
    import torch

    versions = ROWS[1].versions
    assert versions["torch"] == torch.__version__
    assert {"numpy", "rrnn_lit", "rich", "cpu", "capability"} <= versions.keys()
    assert versions["threads"] == str(torch.get_num_threads())
    assert versions["precision"] == "fp32"
    assert "rich" not in ROWS[0].versions


def test_json_is_a_list_of_rows_with_the_documented_keys(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    write_rows(path, [*ROWS, ABSENT])
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert [list(row) for row in rows] == [KEYS] * 3
    assert [row["seconds"] for row in rows] == [0.04, 0.1, None]
    assert rows[1]["sizes"] == SIZES
    assert [path] == list(tmp_path.iterdir())


def test_a_peer_that_could_not_run_keeps_its_row_and_reason() -> None:
    assert ABSENT.seconds is ABSENT.times_ours is None
    assert "faiss" in printed()
    assert "not run: no module named faiss" in printed()


def test_the_table_has_one_line_a_row_at_100_columns() -> None:
    lines = [line for line in printed().splitlines() if line.startswith("│")]
    assert [line.split("│")[1].strip() for line in lines] == ["ours", "other", "faiss"]
    assert "2.50" in lines[1]
    assert "100 ms" in lines[1]
    assert max(map(len, lines)) <= 100


def test_a_long_note_goes_on_below_its_own_beginning() -> None:
    long = replace(ABSENT, note="word " * 30)
    text = io.StringIO()
    print_rows([long], Console(file=text, width=100))
    lines = [line for line in text.getvalue().splitlines() if line.startswith("  ")]
    assert [line.split("word")[0] for line in lines] == ["  1  ", "     "]


def test_bytes_are_a_column_and_part_no_table() -> None:
    rows = [
        replace(absent_row("memory", name, {"hidden_size": 8, "bytes": size}, ""), note="")
        for name, size in (("ours", 2_500_000_000), ("other", 5_000_000_000))
    ]
    text = io.StringIO()
    print_rows(rows, Console(file=text, width=100))
    lines = text.getvalue().splitlines()
    assert [line for line in lines if line.startswith("memory")] == ["memory: hidden_size 8"]
    cells = [[cell.strip() for cell in line.split("│")[1:3]] for line in lines if "│" in line]
    assert cells == [["ours", "2.50 GB"], ["other", "5.00 GB"]]


def test_a_column_without_a_value_is_left_out() -> None:
    assert "of floor" in printed()
    text = io.StringIO()
    print_rows([ABSENT], Console(file=text, width=100))
    assert not any(word in text.getvalue() for word in ("median", "times ours", "of floor"))


def test_sizes_are_above_and_versions_below_the_table() -> None:
    lines = printed().splitlines()
    assert lines[1] == "match: rows 8, vocab_size 50,000"
    # lines are broken where the width ends, which depends on the name of the CPU
    assert "precision bf16, fp32" in " ".join(" ".join(lines[-2:]).split())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0412, "41.2 ms"),
        (3.14159, "3.14 s"),
        (123.4, "123 s"),
        (0.99999, "1.00 s"),
        (2e-4, "200 us"),
        (3e-9, "0.00 us"),
    ],
)
def test_a_duration_has_three_digits_and_a_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text
