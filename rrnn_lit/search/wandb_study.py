"""The study as one W&B run beside the runs of its trials: table, best values, pictures.

W&B is a mirror of the storage: what goes wrong with it is one warning and never ends a sweep.
"""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna

from rrnn_lit.search import attributes
from rrnn_lit.search.export import record_of
from rrnn_lit.search.options import flatten
from rrnn_lit.search.stop_rule import best_complete
from rrnn_lit.search.study_file import Definition, to_json
from rrnn_lit.training.wandb_mode import choose_mode

JOB_TYPE = "study"
_FINISH_S = 60.0  # for what is still to be sent, if the network has gone


def log_study(
    study: optuna.Study, definition: Definition, folder: Path, pictures: Sequence[Path]
) -> str | None:
    """Write the W&B run of a study; return its id, None if W&B is off or did not work.

    The id follows from the study, so that later calls and other machines write the same run.

    Args:
        study: the study.
        definition: what it is; it is the run's config.
        folder: the study's folder; the run lies in its `wandb`.
        pictures: PNG files to show.
    """
    options = {**flatten(definition.base_options), **definition.overrides}
    if not options.get("wandb.enabled") or choose_mode() == "disabled":
        return None
    try:
        return _log(study, definition, options, folder, pictures)
    except Exception as error:  # whatever W&B raises: the sweep's results are safe elsewhere
        text = " ".join(str(error).split())
        print(f"rrnn sweep: warning: no W&B run of the study: {text}", file=sys.stderr)
        return None


def study_run_id(study: optuna.Study) -> str:
    """Return the W&B id of a study: the same everywhere, another for each study of a name."""
    unique = f"study {study.study_name} {study.user_attrs.get(attributes.TOKEN, '')}"
    return hashlib.sha256(unique.encode()).hexdigest()[:12]


def _log(
    study: optuna.Study,
    definition: Definition,
    options: dict[str, Any],
    folder: Path,
    pictures: Sequence[Path],
) -> str:
    import wandb

    folder.mkdir(parents=True, exist_ok=True)
    run_id = study_run_id(study)
    code = 1
    try:
        run = wandb.init(
            project=options.get("wandb.project"),
            entity=options.get("wandb.entity"),
            dir=folder,
            id=run_id,
            name=definition.name,
            group=definition.name,
            job_type=JOB_TYPE,
            tags=[*(options.get("wandb.tags") or []), "sweep"],
            config=json.loads(to_json(definition)),
            resume="allow",
            # metadata would hold the command line, and with it whatever stands there
            settings=wandb.Settings(
                x_disable_meta=True, silent=True, console="off", finish_timeout=_FINISH_S
            ),
        )
        columns, rows = table_of(study, definition)
        held: dict[str, Any] = {
            f"plots/{path.stem}": wandb.Image(str(path)) for path in pictures if path.is_file()
        }
        # a column may hold numbers and words: choices of a categorical
        held["trials"] = wandb.Table(columns=columns, data=rows, allow_mixed_types=True)
        run.log(held)
        run.summary.update(summary_of(study, definition))
        code = 0
    finally:
        wandb.finish(code)
    return run_id


def table_of(
    study: optuna.Study, definition: Definition
) -> tuple[list[str | int], list[list[Any]]]:
    """Return headings and one row a trial: result, dotted options, last figures."""
    trials = study.get_trials(deepcopy=False)
    plain = ["number", "state", "reason", "value", "steps", "seconds", "retries"]
    options = [dimension.option for dimension in definition.space]
    figures = sorted({key for t in trials for key in t.user_attrs.get(attributes.FIGURES, {})})
    rows = []
    for trial in trials:
        record = record_of(trial, definition)
        last = record["user_attributes"].get(attributes.FIGURES, {})
        rows.append(
            [record[name] for name in plain]
            + [record["options"].get(option) for option in options]
            + [last.get(key) for key in figures]
        )
    return [*plain, *options, *figures], rows


def summary_of(study: optuna.Study, definition: Definition) -> dict[str, Any]:
    """Return number of trials by state, and value, number and options of the best."""
    trials = study.get_trials(deepcopy=False)
    counts = Counter(trial.state.name.lower() for trial in trials)
    summary: dict[str, Any] = {f"num_{state}": number for state, number in counts.items()}
    for best in best_complete(trials, definition.direction)[:1]:
        summary["best/value"] = best.value
        summary["best/trial"] = best.number
        for option, value in record_of(best, definition)["options"].items():
            summary[f"best/{option}"] = value
    return summary
