import io

from rich.console import Console

from rrnn_lit.evaluation.compare_results import Point
from rrnn_lit.evaluation.compare_table import describe, markdown_table, terminal_table
from tests.evaluation.comparing import make_result

OURS = make_result("paper")
GRU = make_result(
    "gru", cell="gru", seconds=200.0, curve=(Point(100, 100.0, 0.3), Point(200, 200.0, 0.55))
)
COSINE = make_result("cosine", group="ablation", loss=4.5)


def test_markdown_has_a_row_a_variant_and_the_first_in_every_group() -> None:
    text = markdown_table([OURS, GRU, COSINE], {})
    networks, ablations = text.split("## ")[1:]
    assert networks.startswith("Other networks")
    rows = [line for line in networks.splitlines() if line.startswith("| the")]
    assert rows == [
        "| the paper | residual | 256 | 548,908 | 512 | 200 | 100 | 128 "
        "| 50.0% | 5.0% | 48.0% | 4.8% | 50.0% | 66.0 |",
        "| the gru | gru | 256 | 548,908 | 512 | 200 | 200 | 128 "
        "| 50.0% | 5.0% | 48.0% | 4.8% | 30.0% | 66.0 |",
    ]
    names = [line.split(" | ")[0] for line in ablations.splitlines() if line.startswith("| the")]
    assert names == ["| the paper", "| the cosine"]
    assert "tune words at 100 s" in text
    assert "holdout" not in text
    assert "Failed" not in text


def test_every_row_of_markdown_has_as_many_cells_as_its_heading() -> None:
    lines = markdown_table([OURS, GRU], {}).splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_holdout_shows_where_it_was_counted() -> None:
    text = markdown_table([make_result("a", holdout=True), make_result("b")], {})
    assert "| holdout words | holdout exact |" in text
    assert "| 47.0% | 4.7% |" in text
    assert "| - | - |" in text


def test_failures_are_told() -> None:
    assert "## Failed\n\nlstm:\n\n    exit code 1" in markdown_table(
        [OURS], {"lstm": "    exit code 1"}
    )


def test_notes_name_data_and_conditions() -> None:
    first = describe([OURS, GRU])[0]
    for fact in ("at most 16 words", "59,236 dictionary words", "tune 1,000, test 1,000", "1234"):
        assert fact in first


def test_terminal_shows_the_same_rows() -> None:
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as printed:
        console.print(terminal_table([OURS, GRU, COSINE]))
    rows = [line for line in printed.get().splitlines() if "│ the" in line]
    names = [row.split("│")[1].strip() for row in rows]
    assert names == ["the paper", "the gru", "the paper", "the cosine"]
    assert "30.0%" in rows[1]
