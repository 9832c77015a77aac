"""A report in W&B: figures, tables, pictures, and the whole folder as an artifact.

W&B is a mirror of the folder: what goes wrong with it is one warning.
"""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rrnn_lit.evaluation.report_numbers import FIGURES
from rrnn_lit.training.run_folder import WANDB_ID_FILE
from rrnn_lit.training.wandb_mode import choose_mode

JOB_TYPE = "report"
_PROJECT = "rrnn_lit"  # of a bundle, which knows no other
_MOST_PAIRS = 1_000


def log_report(
    folder: Path,
    content: dict[str, Any],
    pairs: Sequence[dict[str, Any]],
    runs: Sequence[tuple[Path, dict[str, Any]]],
) -> str | None:
    """Write a report to W&B; return the id of the W&B run, None if it is off or did not work.

    A report about one run goes on with the run's own W&B run, if it has one; any other is a W&B
    run of its own, the same for each report into the folder.

    Args:
        folder: the report.
        content: see `report_content.py`.
        pairs: pairs of confused words.
        runs: folder and config of each model; the config of a bundle is empty.
    """
    if choose_mode() == "disabled":
        print("rrnn report: no W&B run: WANDB_MODE is disabled", file=sys.stderr)
        return None
    try:
        return _log(folder, content, pairs, runs)
    except Exception as error:  # whatever W&B raises: the report is written
        text = " ".join(str(error).split())
        print(f"rrnn report: warning: not in W&B: {text}", file=sys.stderr)
        return None


def _log(
    folder: Path,
    content: dict[str, Any],
    pairs: Sequence[dict[str, Any]],
    runs: Sequence[tuple[Path, dict[str, Any]]],
) -> str:
    import wandb

    facts, split = content["facts"], content["facts"]["split"]
    options: dict[str, Any] = next(
        (config["wandb"] for _, config in runs if config.get("wandb")), {}
    )
    run_id, own = _run_id(folder, runs)
    place = runs[0][0] if own else folder.parent
    code = 1
    try:
        run = wandb.init(
            project=options.get("project") or _PROJECT,
            entity=options.get("entity"),
            dir=place,
            id=run_id,
            name=place.resolve().name if own else folder.name,
            # what an own run is called and belongs to was settled by its training
            group=options.get("group") if own else None,
            job_type=options.get("job_type") if own else JOB_TYPE,
            tags=[*(options.get("tags") or []), *([] if own else [JOB_TYPE])],
            config=None if own else facts,
            resume="allow",
            # metadata would hold the command line, and with it whatever stands there
            settings=wandb.Settings(x_disable_meta=True, silent=True, console="off"),
        )
        held: dict[str, Any] = {
            f"report/{split}/{path.stem}": wandb.Image(str(path))
            for path in sorted(folder.glob("*.png"))
        }
        held |= {
            f"report/{split}/{name}": wandb.Table(
                columns=columns, data=rows, allow_mixed_types=True
            )
            for name, (columns, rows) in tables_of(content, pairs).items()
        }
        steps = content["columns"][0]["facts"]["steps"]
        if own and steps is not None:
            held["trainer/global_step"] = steps  # the axis of the run's other charts
        run.log(held)
        run.summary.update(summary_of(content))
        artifact = wandb.Artifact(f"report-{split}-{run_id}", type=JOB_TYPE, metadata=facts)
        for path in sorted(folder.iterdir()):  # add_dir would print
            artifact.add_file(str(path))
        run.log_artifact(artifact)
        code = 0
    finally:
        wandb.finish(code)
    return run_id


def _run_id(folder: Path, runs: Sequence[tuple[Path, dict[str, Any]]]) -> tuple[str, bool]:
    """Return the W&B id and whether it is the run's own."""
    own = runs[0][0] / WANDB_ID_FILE
    if len(runs) == 1 and own.is_file():
        return own.read_text(encoding="utf-8").strip(), True
    return hashlib.sha256(f"report {folder.resolve()}".encode()).hexdigest()[:12], False


Tables = dict[str, tuple[list[str | int], list[list[Any]]]]


def tables_of(content: dict[str, Any], pairs: Sequence[dict[str, Any]]) -> Tables:
    """Return headings and rows of the tables by name: figures, sentences, confusions."""
    figures = [
        [c["name"], f.key, e.value, e.low, e.high, e.part, e.whole, c["line"]]
        for c in content["columns"]
        for f in FIGURES
        for e in [c["figures"][f.key]]
    ]
    sentences = [
        [
            sample["sentence_number"],
            column["name"],
            " ".join(sample["words"]),
            " ".join(
                word if matched else f"[{word or '?'}]"
                for word, matched in zip(column["decoded"], column["matched"], strict=True)
            ),
        ]
        for sample in content["samples"]
        for column in sample["columns"]
    ]
    names = ["column", "category", "target", "decoded", "count", "num_target", "cosine"]
    confusions = [[pair[name] for name in names] for pair in pairs[:_MOST_PAIRS]]
    headings = ["model", "figure", "value", "low", "high", "part", "whole", "facts"]
    return {
        "figures": ([*headings], figures),
        "sentences": (["sentence_number", "model", "sentence", "decoded ([wrong])"], sentences),
        "confusions": ([*names], confusions),
    }


def summary_of(content: dict[str, Any]) -> dict[str, Any]:
    """Return the figures by key, with a model's name in it where there are several."""
    split, columns = content["facts"]["split"], content["columns"]
    summary: dict[str, Any] = {}
    for column in columns:
        place = f"report/{split}" if len(columns) == 1 else f"report/{split}/{column['name']}"
        summary |= {f"{place}/{f.key}": column["figures"][f.key].value for f in FIGURES}
    return summary
