"""Rows of a benchmark: one peer's time, its ratio to ours and whether its answer was right.

Rows become a table on the screen and a JSON file, in which a row has the fields of `Row`. A peer
that could not run keeps its row; its note tells why.
"""

import itertools
import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rrnn_lit.bench.versions import environment
from rrnn_lit.data.manifest import write_json

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
BYTES = "bytes"  # the size that is a result: in it the rows of a table differ


@dataclass(frozen=True)
class Row:
    """One peer in one case.

    Attributes:
        case: the case as the command line names it.
        peer: what was measured; ours starts with `ours`.
        seconds: median time; None when the peer could not run.
        times_ours: the peer's seconds over ours; above 1 we are faster. None without a time.
        correct: what the comparison with the truth found; empty without a run.
        floor_share: floor of the cost model over `seconds`, 1 is the floor; None where no floor
            is known.
        sizes: sizes of the problem, which the rows of a table share; and `bytes`, the memory that
            the peer takes, where that is what was asked.
        versions: what `versions.environment` returns.
        note: what a reader must know to judge the row.
    """

    case: str
    peer: str
    seconds: float | None
    times_ours: float | None
    correct: str
    floor_share: float | None
    sizes: dict[str, int]
    versions: dict[str, str]
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """What is known of a peer besides its time.

    Attributes:
        correct: see `Row`.
        precision: number format it computes in.
        package: the installed package it comes from; empty for torch itself and for ours.
        note: see `Row`.
        floor_seconds: floor of the cost model; None where no floor is known.
    """

    correct: str
    precision: str
    package: str = ""
    note: str = ""
    floor_seconds: float | None = None


def make_rows(
    case: str,
    sizes: dict[str, int],
    seconds: Mapping[str, float],
    peers: Mapping[str, Peer],
    ours: str,
) -> list[Row]:
    """Return a row per peer in the order of `peers`.

    Args:
        case: name of the case.
        sizes: sizes of the problem.
        seconds: peer -> median seconds, as `time_peers` returns them.
        peers: peer -> what else is known of it.
        ours: the peer that the others are compared with.
    """
    return [
        Row(
            case=case,
            peer=name,
            seconds=seconds[name],
            times_ours=seconds[name] / seconds[ours],
            correct=peer.correct,
            floor_share=None if peer.floor_seconds is None else peer.floor_seconds / seconds[name],
            sizes=sizes,
            versions=environment(peer.precision, peer.package),
            note=peer.note,
        )
        for name, peer in peers.items()
    ]


def absent_row(case: str, peer: str, sizes: dict[str, int], reason: str) -> Row:
    """Return the row of a peer that could not run."""
    return Row(case, peer, None, None, "", None, sizes, environment(""), f"not run: {reason}")


def print_rows(rows: Sequence[Row], console: Console) -> None:
    """Print a table for each problem; sizes above it, notes and versions below."""
    for (case, sizes), group in itertools.groupby(rows, key=lambda r: (r.case, _problem(r))):
        title = ", ".join(f"{name} {value:,}" for name, value in sizes.items())
        _print_table(f"{case}: {title}", list(group), console)
    console.print(versions_line(rows), highlight=False, style="dim")


def _problem(row: Row) -> dict[str, int]:
    return {name: value for name, value in row.sizes.items() if name != BYTES}


_COLUMNS: dict[str, Callable[[Row], str]] = {
    "median": lambda row: "" if row.seconds is None else duration(row.seconds),
    "times ours": lambda row: "" if row.times_ours is None else f"{row.times_ours:.2f}",
    "memory": lambda row: f"{row.sizes[BYTES] / 1e9:.2f} GB" if BYTES in row.sizes else "",
    "correct": lambda row: row.correct,
    "of floor": lambda row: "" if row.floor_share is None else f"{row.floor_share:.0%}",
}


def _print_table(title: str, rows: list[Row], console: Console) -> None:
    """Print the columns in which any of the rows has something to say."""
    console.print(f"\n{title}", highlight=False, style="bold")
    table = Table()
    table.add_column("peer")
    columns = {name: cell for name, cell in _COLUMNS.items() if any(map(cell, rows))}
    for name in (*columns, "note"):
        table.add_column(name, justify="right", no_wrap=True)
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    for row in rows:
        table.add_row(
            row.peer,
            *(cell(row) or "-" for cell in columns.values()),
            str(notes.index(row.note) + 1) if row.note else "",
            # the rows that are ours stand out
            style="bold" if row.peer.startswith("ours") else None,
        )
    console.print(table)
    for number, note in enumerate(notes, 1):
        start = f"  {number}  "
        text = textwrap.fill(
            note, console.width, initial_indent=start, subsequent_indent=" " * len(start)
        )
        console.print(text, highlight=False)


def versions_line(rows: Sequence[Row]) -> str:
    """Return every version of every row in one line; what differs is listed with commas."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row.versions.items():
            values = found.setdefault(name, [])
            if value and value not in values:
                values.append(value)
    return "; ".join(f"{name} {', '.join(values)}" for name, values in found.items() if values)


def duration(seconds: float) -> str:
    """Return seconds as three digits and a unit: `41.2 ms`."""
    size, unit = next((u for u in _UNITS if seconds >= u[0] * 0.9995), _UNITS[-1])
    value = seconds / size
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows as a JSON list; the file appears complete or not at all.

    A link stays a link: what it points to is replaced.
    """
    write_json(Path(os.path.realpath(path)), [asdict(row) for row in rows])
