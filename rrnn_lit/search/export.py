"""`rrnn sweep export`: `trials.csv`, `trials.json` and `best.yaml` of a study."""

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from optuna.trial import FrozenTrial

from rrnn_lit.search import attributes
from rrnn_lit.search.files import want_free
from rrnn_lit.search.options import nest
from rrnn_lit.search.show import objective_of, seconds_of
from rrnn_lit.search.space import options_of
from rrnn_lit.search.stop_rule import best_complete
from rrnn_lit.search.study_file import Definition, to_json
from rrnn_lit.whole_files import write_text

CSV_FILE, JSON_FILE, BEST_FILE = "trials.csv", "trials.json", "best.yaml"


def export(
    trials: Sequence[FrozenTrial], definition: Definition, folder: Path, force: bool
) -> list[Path]:
    """Write the trials of a study and return the files; `best.yaml` only if a trial is complete.

    Args:
        trials: all trials of the study.
        definition: what the study is.
        folder: where to write; made if missing.
        force: whether files that are there may be replaced.

    Raises:
        FileExistsError: a file is there and `force` is off; nothing is written then.
    """
    texts = {
        CSV_FILE: csv_text(trials, definition),
        JSON_FILE: json_text(trials, definition),
    }
    for best in best_complete(trials, definition.direction)[:1]:
        texts[BEST_FILE] = best_text(best, definition)
    paths = [folder / name for name in texts]
    for path in paths:
        want_free(path, force)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text)
    return paths


def record_of(trial: FrozenTrial, definition: Definition) -> dict[str, Any]:
    """Return everything the storage holds of a trial, ready for JSON.

    A value that is not finite becomes None: JSON has no name for it.
    """
    begin, end = trial.datetime_start, trial.datetime_complete
    record = {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "reason": trial.user_attrs.get(attributes.REASON),
        "value": objective_of(trial),
        "steps": trial.last_step,
        "seconds": seconds_of(trial),
        "retries": trial.system_attrs.get(attributes.ATTEMPT, 0),
        "started": begin.isoformat() if begin else None,
        "ended": end.isoformat() if end else None,
        "options": options_of(trial.params, definition.space),
        "params": trial.params,
        "values_by_step": sorted(trial.intermediate_values.items()),
        "user_attributes": trial.user_attrs,
        "system_attributes": trial.system_attrs,
    }
    clean: dict[str, Any] = _finite(record)
    return clean


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_text(trials: Sequence[FrozenTrial], definition: Definition) -> str:
    """Return the definition and all trials by number as JSON."""
    content = {
        "definition": json.loads(to_json(definition)),
        "trials": [record_of(trial, definition) for trial in trials],
    }
    return json.dumps(_finite(content), indent=1, allow_nan=False) + "\n"


def csv_text(trials: Sequence[FrozenTrial], definition: Definition) -> str:
    """Return one line a trial: what it came to, its dotted options, its last figures."""
    plain = ("number", "state", "reason", "value", "steps", "seconds", "retries")
    options = [dimension.option for dimension in definition.space]
    figures = sorted({key for t in trials for key in t.user_attrs.get(attributes.FIGURES, {})})
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*plain, *options, *figures])
    for trial in trials:
        record = record_of(trial, definition)
        last = _finite(trial.user_attrs.get(attributes.FIGURES, {}))
        cells = [record[name] for name in plain]
        cells += [record["options"].get(option) for option in options]
        cells += [last.get(key) for key in figures]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return stream.getvalue()


def best_text(trial: FrozenTrial, definition: Definition) -> str:
    """Return the options that make the base config the best trial, as nested YAML."""
    options = {**definition.overrides, **options_of(trial.params, definition.space)}
    options["trainer.max_steps"] = definition.steps
    header = (
        f"# Study {definition.name}, trial {trial.number}: {definition.metric} {trial.value:.6g}"
        f" after {definition.steps} steps.\n"
        "# The study's overrides and steps, the trial's options; goes behind the base config:\n"
        f"# rrnn fit --config BASE.yaml --config {BEST_FILE}\n"
    )
    return header + yaml.safe_dump(nest(options), sort_keys=False)
