"""The figures of given weights of a run: those that were counted at just their step."""

import json
from pathlib import Path
from typing import Any

from rrnn_lit.training.metric_keys import split_key
from rrnn_lit.training.run_folder import METRICS_FILE, SUMMARY_FILE

_SPLITS = ("tune", "test")
_COUNTS = ("words", "sentences")


def figures_at(folder: Path, step: int, weights: str, max_words: int) -> dict[str, dict[str, Any]]:
    """Return figures by split, of the summary or, where it has none, of `metrics.jsonl`.

    Args:
        folder: of the run, finished or not.
        step: `global_step` of the weights; figures of other steps are left out.
        weights: what to call them, `best` or `last`.
        max_words: longest evaluated sentence of the run, EOS included.

    Raises:
        ValueError: a file is damaged.
    """
    logged = {
        split: {"weights": weights, "step": step, "max_words": max_words, **figures}
        for split, figures in _logged(folder / METRICS_FILE, step).items()
    }
    path = folder / SUMMARY_FILE
    if not path.is_file():
        return logged
    try:
        splits = dict(json.loads(path.read_text(encoding="utf-8"))["splits"])
        return logged | {
            split: dict(figures) for split, figures in splits.items() if figures["step"] == step
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: wanted the summary of a run, got {error!r}") from error


def _logged(path: Path, step: int) -> dict[str, dict[str, Any]]:
    """Return the evaluations that a run logged at a step; of repeated ones the last."""
    found: dict[str, dict[str, Any]] = {}
    if not path.is_file():
        return found
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            record = json.loads(line)
            if record["step"] != step:
                continue
            for split in _SPLITS:
                figures = _of_split(record, split_key(split, ""))
                if figures:
                    found[split] = figures
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}, line {number}: wanted figures, got {error!r}") from error
    return found


def _of_split(record: dict[str, Any], prefix: str) -> dict[str, Any]:
    figures = {k.removeprefix(prefix): v for k, v in record.items() if k.startswith(prefix)}
    return {k: int(v) if k.endswith(_COUNTS) else round(v, 6) for k, v in figures.items()}
