"""What `rrnn report` prints: the figures of every column."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rrnn_lit.evaluation.report_numbers import FIGURES


def print_figures(content: dict[str, Any], console: Console | None = None) -> None:
    """Print the figures with their intervals, under one line of facts for each column."""
    console = Console() if console is None else console
    for column in content["columns"]:
        line = f"{column['name']}: {column['line']}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    table = Table(caption="95% interval below each figure")
    table.add_column("figure")
    for column in content["columns"]:
        table.add_column(Text(column["name"], overflow="fold"), justify="right")
    for figure in FIGURES:
        cells = [column["figures"][figure.key] for column in content["columns"]]
        shares = [f"{e.value:.2%}\n{100 * e.low:.2f} to {100 * e.high:.2f}" for e in cells]
        table.add_row(figure.title, *shares)
    sizes = [f"{column['facts']['bytes_per_vector']:,}" for column in content["columns"]]
    table.add_row("bytes per vector", *sizes)
    table.add_row("bits per word", *(f"{c['bits_per_word']:,.1f}" for c in content["columns"]))
    console.print(table)
