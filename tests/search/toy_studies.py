"""A study file of toy trials, and the command that runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.search import toy_trial

BASE: dict[str, Any] = {
    "model": {"learning_rate": 0.5, "decay": 0.1, "hidden_size": 8},
    "trainer": {"max_steps": 1, "val_check_interval": 1},
    "toy": {"modes": {}, "seconds": 0},
}
Sweep = Callable[..., int]


def write_study(folder: Path, toy: dict[str, Any] | None = None, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    base = {**BASE, "toy": {**BASE["toy"], **(toy or {})}}
    (folder / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    study = {
        "base": "base.yaml",
        "budget": {"steps": 4},
        "objective": {"metric": toy_trial.METRIC, "direction": "maximize"},
        "seed": 7,
        "space": {
            "model.learning_rate": {"distribution": "log_uniform", "low": 1e-4, "high": 1e-2}
        },
        "stopping": {"trials": 3},
        **changes,
    }
    path = folder / "toys.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    return path
