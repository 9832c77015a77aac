"""A study in the words of its file, and definitions made from it."""

from pathlib import Path
from typing import Any

import yaml

from rrnn_lit.search.study_file import Definition, read_study

BASE = {"model": {"learning_rate": 1.0e-3, "hidden_size": 8, "decay": 0.9}, "seed_everything": 1}
LEARNING_RATE = {"distribution": "log_uniform", "low": 1.0e-4, "high": 1.0e-2}


def study_content(**changes: Any) -> dict[str, Any]:
    """Return a small correct study; a change of None leaves its key out."""
    content = {
        "base": "base.yaml",
        "budget": {"steps": 1000},
        "objective": {"metric": "tune/matched_words", "direction": "maximize"},
        "seed": 7,
        "space": {"model.learning_rate": LEARNING_RATE},
        "stopping": {"trials": 10},
        **changes,
    }
    return {key: value for key, value in content.items() if value is not None}


def write_study(folder: Path, text: str | None = None, **changes: Any) -> Path:
    """Write base config and study file; return the study file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "base.yaml").write_text(yaml.safe_dump(BASE), encoding="utf-8")
    path = folder / "study.yaml"
    content = yaml.safe_dump(study_content(**changes), sort_keys=False) if text is None else text
    path.write_text(content, encoding="utf-8")
    return path


def define(folder: Path, **changes: Any) -> Definition:
    """Return the definition of a study file with these changes."""
    return read_study(write_study(folder, **changes))
