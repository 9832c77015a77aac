"""A study of toy trials and a host that runs it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search.space import Dimension
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study import open_study
from rrnn_lit.search.study_file import (
    Definition,
    LimitSettings,
    PrunerSettings,
    SamplerSettings,
    StopSettings,
)
from rrnn_lit.search.trial_process import TrialServer
from rrnn_lit.search.worker import SweepHost, SweepOptions
from tests.search import toy_trial

NAME = "toy"
RATE = "model.learning_rate"


def toy_definition(modes: Mapping[str, str] | None = None, **changes: Any) -> Definition:
    """Return a study whose objective is 1000 times the learning rate plus the step.

    Args:
        modes: what becomes of trials, by the name of their folder.
        changes: fields; `seconds` is what a step takes, `stop_at` the last step of each run.
    """
    toy = {"modes": dict(modes or {}), "seconds": changes.pop("seconds", 0)}
    if "stop_at" in changes:
        toy["stop_at"] = changes.pop("stop_at")
    fields: dict[str, Any] = {
        "name": NAME,
        "overrides": {"model.decay": 0.5},
        "steps": 5,
        "metric": toy_trial.METRIC,
        "direction": "maximize",
        "seed": 7,
        "space": (Dimension(RATE, "log_uniform", 1e-4, 1e-2),),
        "sampler": SamplerSettings("random"),
        "pruner": PrunerSettings("none"),
        "stopping": StopSettings(trials=4),
        "limits": LimitSettings(),
        "curves": None,
        "base_options": {
            "model": {RATE.split(".")[1]: 0.5, "decay": 0.1},
            "wandb": {"tags": ["demo"]},
            "toy": toy,
        },
    }
    return Definition(**{**fields, **changes})


def toy_options(out: Path, **changes: Any) -> SweepOptions:
    fields: dict[str, Any] = {
        "out": out,
        "num_workers": 1,
        "threads": 1,
        "gpus": (),
        "beat_s": 0.2,
        "grace_s": 4.0,
        "poll_s": 0.02,
        "stop_grace_s": 10.0,
    }
    return SweepOptions(**{**fields, **changes})


def make_host(
    definition: Definition, storage: SweepStorage, out: Path, **changes: Any
) -> tuple[SweepHost, optuna.Study]:
    study, definition = open_study(definition, storage)
    server = TrialServer(toy_trial.ENTRY, preload=())
    options = toy_options(out, **changes)
    host = SweepHost(study, definition, storage, server, options, definition.stopping.trials)
    return host, study


def run_host(
    definition: Definition, storage: SweepStorage, out: Path, **changes: Any
) -> tuple[str, list[FrozenTrial]]:
    """Run a study to its end; return why it ended and its trials."""
    host, study = make_host(definition, storage, out, **changes)
    return host.run(), study.get_trials()


def states(trials: list[FrozenTrial]) -> list[TrialState]:
    return [trial.state for trial in trials]


def lines_of(out: Path, number: int) -> list[dict[str, Any]]:
    """Return what a trial of the study logged."""
    path = out / NAME / f"trial-{number:04d}" / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def params_of(trials: list[FrozenTrial]) -> dict[int, float]:
    return {trial.number: trial.params[RATE] for trial in trials}
