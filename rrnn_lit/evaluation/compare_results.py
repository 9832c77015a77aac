"""What finished variants of a comparison come to, at equal steps and at equal time.

Time is that of training steps alone: evaluations, which cost all variants the same, and pauses
between the starts of a run are left out. It is added up from the speed in each log line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rrnn_lit.evaluation.compare_file import Variant
from rrnn_lit.models.building import LATER_SHAPE
from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.metrics_log import read_metrics
from rrnn_lit.training.run_folder import CONFIG_FILE, METRICS_FILE
from rrnn_lit.training.summary import read_summary

_TUNE_WORDS = keys.split_key("tune", "matched_word_rate")


@dataclass(frozen=True)
class Point:
    """An evaluation during training.

    Attributes:
        step: steps done.
        seconds: training time so far.
        words: matched word rate of tune.
    """

    step: int
    seconds: float
    words: float


@dataclass(frozen=True)
class Result:
    """A finished variant.

    Attributes:
        name: of the variant.
        label: for people.
        group: `baseline` or `ablation`.
        cell: see `models/cells.py`.
        summary: its `summary.json`.
        seconds: training time.
        sentences_per_second: over the whole training.
        loss: of the last logged interval, per sentence; of dropped words there is none.
        curve: evaluations by step.
    """

    name: str
    label: str
    group: str
    cell: str
    summary: dict[str, Any]
    seconds: float
    sentences_per_second: float
    loss: float
    curve: tuple[Point, ...]

    def rate(self, split: str, name: str) -> float | None:
        """Return a rate of a split with the final weights; None if it was not counted."""
        figures = self.summary["splits"].get(split)
        return None if figures is None else float(figures[name])

    def words_at(self, seconds: float) -> float:
        """Return the matched words of tune after so much training time.

        Between evaluations the rate is taken to grow evenly, from 0 at the start; after the last
        it stays.
        """
        before = Point(0, 0.0, 0.0)
        for point in self.curve:
            if point.seconds > seconds:
                share = (seconds - before.seconds) / (point.seconds - before.seconds)
                return before.words + share * (point.words - before.words)
            before = point
        return before.words


def read_result(variant: Variant, folder: Path) -> Result:
    """Return what a finished run comes to.

    Raises:
        ValueError: a file of the run is damaged.
    """
    summary = read_summary(folder)
    config = yaml.safe_load((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    records = read_metrics(folder / METRICS_FILE)
    clock = _training_seconds(records)
    if not clock:
        raise ValueError(f"{folder / METRICS_FILE}: wanted log lines of training, got none")
    curve = [
        Point(record["step"], _at(clock, record["step"]), record[_TUNE_WORDS])
        for record in records
        if _TUNE_WORDS in record
    ]
    losses = [record[keys.TRAIN_LOSS] for record in records if keys.TRAIN_LOSS in record]
    seconds = _at(clock, summary["steps"])
    return Result(
        variant.name,
        variant.label,
        variant.group,
        config["model"].get("cell", LATER_SHAPE["cell"]),
        summary,
        seconds,
        summary["sentences"] / seconds,
        losses[-1],
        tuple(curve),
    )


def _training_seconds(records: Sequence[dict[str, Any]]) -> list[tuple[int, float]]:
    """Return (step, training time) of every log line of training."""
    clock, sentences, seconds = [], 0.0, 0.0
    for record in records:
        if keys.TRAIN_SENTENCES_PER_SECOND in record:
            seconds += (record[keys.TRAIN_SENTENCES] - sentences) / record[
                keys.TRAIN_SENTENCES_PER_SECOND
            ]
            sentences = record[keys.TRAIN_SENTENCES]
            clock.append((record["step"], seconds))
    return clock


def _at(clock: Sequence[tuple[int, float]], step: int) -> float:
    """Return the time of a step between those of log lines, or behind the last one."""
    before = (0, 0.0)
    for after in clock:
        if after[0] >= step:
            share = (step - before[0]) / (after[0] - before[0])
            return before[1] + share * (after[1] - before[1])
        before = after
    return before[1] * step / before[0]


def equal_seconds(results: Sequence[Result]) -> float:
    """Return the training time of the fastest variant."""
    return min(result.seconds for result in results)


def as_json(results: Sequence[Result], failed: dict[str, str]) -> dict[str, Any]:
    """Return everything as plain values; `failed` is name -> end of the log."""
    at = equal_seconds(results)
    return {
        "equal_seconds": round(at, 2),
        "variants": [
            {
                "name": result.name,
                "label": result.label,
                "group": result.group,
                "cell": result.cell,
                "training_seconds": round(result.seconds, 2),
                "sentences_per_second": round(result.sentences_per_second, 1),
                "loss": result.loss,
                "tune_words_at_equal_seconds": round(result.words_at(at), 6),
                **result.summary,
                "curve": [
                    {
                        "step": point.step,
                        "training_seconds": round(point.seconds, 2),
                        "tune_words": round(point.words, 6),
                    }
                    for point in result.curve
                ],
            }
            for result in results
        ],
        "failed": failed,
    }
