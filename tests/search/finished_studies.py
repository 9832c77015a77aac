"""Small studies with made-up results, as a sweep leaves them in its storage."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search import attributes
from rrnn_lit.search.settings import (
    CurveSettings,
    LimitSettings,
    PrunerSettings,
    SamplerSettings,
    StopSettings,
)
from rrnn_lit.search.space import Dimension, suggest
from rrnn_lit.search.study_file import Definition, to_json

METRIC = "tune/matched_words"
BASE: dict[str, Any] = {
    "model": {"hidden_size": 64, "learning_rate": 1e-3, "decay": 0.999, "beta1": 0.85},
    "wandb": {"enabled": True, "project": "rrnn_lit", "entity": None, "tags": ["demo"]},
}
SPACE = (
    Dimension("model.learning_rate", "log_uniform", 1e-4, 1e-2),
    Dimension("model.decay", "log_uniform", 1e-7, 1e-5, one_minus=True),
    Dimension("model.beta1", "categorical", values=(0.8, 0.85, 0.9)),
    Dimension("model.feed_forward_scale", "uniform", 0.05, 0.3),
    Dimension("model.hidden_size", "int_uniform", 64, 256, step=64),
)
CURVES = CurveSettings(
    x="model.learning_rate",
    curve="model.hidden_size",
    panel="model.scaling",
    y=("train/loss", "tune/matched_word_rate"),
)
TRANSFER_SPACE = (
    Dimension("model.learning_rate", "categorical", values=(1e-4, 3e-4, 1e-3, 3e-3, 1e-2)),
    Dimension("model.hidden_size", "categorical", values=(64, 128, 256)),
    Dimension("model.scaling", "categorical", values=("none", "mup")),
)


def define(name: str = "paper", **changes: Any) -> Definition:
    """Return a study of five options; `changes` are fields of it."""
    definition = Definition(
        name=name,
        overrides={"model.dropout": 0.0},
        steps=200,
        metric=METRIC,
        direction="maximize",
        seed=7,
        space=SPACE,
        sampler=SamplerSettings("random"),
        pruner=PrunerSettings("none"),
        stopping=StopSettings(trials=12),
        limits=LimitSettings(),
        curves=None,
        base_options=BASE,
    )
    return replace(definition, **changes)


def make_study(definition: Definition, storage: BaseStorage | None = None) -> optuna.Study:
    """Return an empty study with the attributes of a real one."""
    study = optuna.create_study(
        study_name=definition.name,
        direction=definition.direction,
        sampler=optuna.samplers.RandomSampler(seed=definition.seed),
        storage=storage,
    )
    study.set_user_attr(attributes.TOKEN, "0123abcd")
    study.set_user_attr(attributes.DEFINITION, to_json(definition))
    return study


def trials_of(study: optuna.Study) -> list[FrozenTrial]:
    """Return all trials by number."""
    return study.get_trials(deepcopy=False)


def start(
    study: optuna.Study, definition: Definition, values: Sequence[float] = (), **held: Any
) -> optuna.Trial:
    """Start a trial, report a value every 50 steps, set attributes."""
    trial = study.ask()
    suggest(trial, definition.space)
    for index, value in enumerate(values):
        trial.report(value, 50 * (index + 1))
    for key, value in held.items():
        trial.set_user_attr(key, value)
    return trial


def complete(
    study: optuna.Study, definition: Definition, value: float, **figures: float
) -> optuna.Trial:
    """Run a trial to its end; `figures` are last values beside the objective."""
    reached = [value / 4, value / 2, value * 0.9, value]
    last = {definition.metric: value, **figures}
    trial = start(study, definition, reached, figures=last, seconds=30.0)
    study.tell(trial, value)
    return trial


def prune(study: optuna.Study, definition: Definition, value: float) -> optuna.Trial:
    """Run a trial that is pruned."""
    trial = start(study, definition, [value / 2, value], seconds=10.0)
    study.tell(trial, state=TrialState.PRUNED)
    return trial


def fail(
    study: optuna.Study, definition: Definition, reason: str, detail: str = "the last line"
) -> optuna.Trial:
    """Run a trial that fails."""
    last = {"train/loss": math.nan}
    trial = start(study, definition, [1.0], reason=reason, detail=detail, figures=last)
    study.tell(trial, state=TrialState.FAIL)
    return trial


def score(params: dict[str, Any]) -> float:
    """Return a result that depends on the learning rate most of all."""
    distance = math.log10(params["model.learning_rate"]) + 2.9
    value: float = 900 * math.exp(-(distance**2)) + 0.2 * params["model.hidden_size"]
    return round(value, 1)


def fill(study: optuna.Study, definition: Definition, count: int = 30) -> None:
    """Run trials whose results depend on their options; every sixth is pruned or fails."""
    for index in range(count):
        if index % 12 == 5:
            prune(study, definition, 120.0 + index)
        elif index % 12 == 11:
            fail(study, definition, "nan" if index % 24 == 11 else "oom")
        else:
            trial = start(study, definition, seconds=30.0 + index)
            value = score(trial.params)
            for step in range(1, 11):
                trial.report(value * (1 - math.exp(-step / 2)), 20 * step)
            trial.set_user_attr("figures", {definition.metric: value})
            study.tell(trial, value)


def transfer(storage: BaseStorage | None = None) -> tuple[optuna.Study, Definition]:
    """Return a study with results: without scaling the best learning rate moves with the width."""
    definition = define("widths", space=TRANSFER_SPACE, curves=CURVES)
    study = make_study(definition, storage)
    for scaling in ("none", "mup"):
        for width in (64, 128, 256):
            for rate in (1e-4, 3e-4, 1e-3, 3e-3, 1e-2):
                options = zip(TRANSFER_SPACE, (rate, width, scaling), strict=True)
                study.enqueue_trial({dimension.name: value for dimension, value in options})
                best = 1e-3 * (64 / width if scaling == "none" else 1)
                distance = math.log10(rate / best)
                if distance > 0.9:
                    fail(study, definition, "nan")
                    continue
                words = 0.9 - 0.1 * distance**2 - 5 / width
                figures = {"train/loss": 1 - words, "tune/matched_word_rate": words}
                complete(study, definition, round(1000 * words), **figures)
    return study, definition
