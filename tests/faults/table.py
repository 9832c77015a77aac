"""The table of promises as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.promises import Promise

_HEAD = """# Promises

What is kept when processes die, disks fill and files lie. Each row's fault is injected by the
tests in `tests/faults/`; this table is written by `make promises`.

| # | promise | wanted | got | kept | s |
|---|---|---|---|---|---|
"""


@dataclass
class Outcome:
    """What the tests of one row found.

    Attributes:
        passed: tests that passed.
        failed: tests that did not.
        skipped: why tests were left out.
        figures: test -> what it measured.
        seconds: time of all of them.
    """

    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    figures: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


def is_kept(outcome: Outcome) -> bool:
    """Return whether some test passed and none failed or was left out."""
    return outcome.passed > 0 and not outcome.failed and not outcome.skipped


def _state(outcome: Outcome) -> str:
    if outcome.failed:
        return "**NO**"
    if outcome.skipped:
        return f"not run: {'; '.join(sorted(set(outcome.skipped)))}"
    return "yes" if outcome.passed else "**no test**"


def render(promises: Mapping[int, Promise], outcomes: Mapping[int, Outcome]) -> str:
    """Return the table, and below it what its tests cannot show here."""
    rows = []
    for number, promise in promises.items():
        outcome = outcomes.get(number, Outcome())
        cells = (
            promise.text,
            promise.wanted,
            # in order of the tests' names: they may run in several processes
            "; ".join(f for _, figures in sorted(outcome.figures.items()) for f in figures) or "-",
            _state(outcome),
            f"{outcome.seconds:.1f}",
        )
        rows.append(f"| {number} | " + " | ".join(c.replace("|", "\\|") for c in cells) + " |\n")
    notes = [
        f"- {number}: {promise.not_here}.\n"
        for number, promise in promises.items()
        if promise.not_here
    ]
    kept = sum(is_kept(outcomes.get(number, Outcome())) for number in promises)
    seconds = sum(outcome.seconds for outcome in outcomes.values())
    return (
        f"{_HEAD}{''.join(rows)}\n{kept} of {len(promises)} kept, {seconds:.0f} s.\n\n"
        f"Not shown here, where there are two cores and no GPU:\n\n{''.join(notes)}"
    )
