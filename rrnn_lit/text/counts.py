"""How many sentences each step of the pipeline saw, altered and dropped."""

from collections.abc import Iterable
from dataclasses import dataclass

CountTable = dict[str, dict[str, int]]


@dataclass
class StepCounts:
    """Sentences at one step; those neither changed nor dropped passed as they were."""

    in_: int = 0
    changed: int = 0
    dropped: int = 0

    def as_dict(self) -> dict[str, int]:
        """The three counts under `in`, `changed` and `dropped`."""
        return {"in": self.in_, "changed": self.changed, "dropped": self.dropped}


def merge_count_tables(tables: Iterable[CountTable]) -> CountTable:
    """The sum of tables of several processes, steps in the order of the first table."""
    merged: CountTable = {}
    for table in tables:
        for step, counts in table.items():
            total = merged.setdefault(step, dict.fromkeys(counts, 0))
            for name, number in counts.items():
                total[name] += number
    return merged
