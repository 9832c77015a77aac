"""Rows of sentences or vectors: how many at once, and the error that names one of them."""

DEFAULT_BATCH_SIZE = 256  # larger batches are no faster and leave the cache


class RowError(ValueError):
    """One of many sentences or vectors cannot be used.

    Args:
        name: what there are many of.
        row: which one, from 0.
        problem: what was wanted and what was got.
    """

    def __init__(self, name: str, row: int, problem: str) -> None:
        super().__init__(f"{name}[{row}]: {problem}")
        self.row, self.problem = row, problem
