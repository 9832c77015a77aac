"""SentenceLog: which sentences training received at which step, for a comparison of two runs."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

_NUMBERS = "sentence_numbers_B"


class SentenceLog(Callback):
    """Appends a line for each batch: the step and the rows of the sentences in the train split.

    Args:
        path: one write a line, so that a kill tears none.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note where this start goes on."""
        self._write({"start": trainer.global_step})

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note the batch."""
        self._write({"step": trainer.global_step, "sentences": batch[_NUMBERS].tolist()})

    def _write(self, record: dict[str, Any]) -> None:
        with open(self._path, "ab", buffering=0) as file:
            file.write(json.dumps(record).encode() + b"\n")


def effective_sentences(path: Path) -> list[tuple[int, list[int]]]:
    """Return (step, sentences) of the batches whose updates are in the final weights, in order.

    A start at step k takes back what was done from there on.
    """
    kept: list[tuple[int, list[int]]] = []
    for line in path.read_bytes().splitlines():
        record = json.loads(line)
        if "start" in record:
            kept = [(step, sentences) for step, sentences in kept if step < record["start"]]
        else:
            kept.append((record["step"], record["sentences"]))
    return kept


def lost_and_repeated(
    straight: list[tuple[int, list[int]]], other: list[tuple[int, list[int]]]
) -> tuple[int, int]:
    """Return how many (step, sentence) of a run another lacks, and how many it has beyond."""
    first = Counter((step, s) for step, sentences in straight for s in sentences)
    second = Counter((step, s) for step, sentences in other for s in sentences)
    return (first - second).total(), (second - first).total()
