from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.pruning import make_pruner
from rrnn_lit.search.study_file import Definition
from tests.search.studies import define

EVERY = 100  # steps between evaluations


def make(folder: Path, **pruner: Any) -> Definition:
    return define(folder, pruner=pruner, budget={"steps": 900})


def run_trial(study: optuna.Study, quality: float, steps: int = 900) -> int:
    """Report a figure that grows with the steps; return the step where the trial ended."""
    trial = study.ask()
    for step in range(EVERY, steps + 1, EVERY):
        trial.report(quality * step, step)
        if trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return step
    study.tell(trial, quality * steps)
    return steps


def run_study(definition: Definition, qualities: list[float]) -> list[int]:
    # Hyperband deals trials out by the name of the study
    study = optuna.create_study(
        study_name=definition.name, direction="maximize", pruner=make_pruner(definition)
    )
    return [run_trial(study, quality) for quality in qualities]


BETTER = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
WORSE = BETTER[::-1]


@pytest.mark.parametrize(
    ("pruner", "ends"),
    [
        ({"kind": "none"}, [900] * 6),
        # the first rung is at 100 steps, the next at 300: of three the best goes on
        ({"kind": "asha", "min_steps": 100}, [900] + [100] * 5),
        ({"kind": "asha", "min_steps": 300}, [900] + [300] * 5),
        ({"kind": "median", "min_steps": 400, "startup_trials": 2}, [900, 900] + [400] * 4),
    ],
)
def test_worse_trials_end_early_by_step(
    tmp_path: Path, pruner: dict[str, Any], ends: list[int]
) -> None:
    assert run_study(make(tmp_path, **pruner), WORSE) == ends


@pytest.mark.parametrize(
    "pruner",
    [
        {"kind": "none"},
        {"kind": "asha", "min_steps": 100},
        {"kind": "median", "min_steps": 100, "startup_trials": 1},
        {"kind": "hyperband", "min_steps": 100},
    ],
)
def test_better_trials_reach_the_last_step(tmp_path: Path, pruner: dict[str, Any]) -> None:
    assert run_study(make(tmp_path, **pruner), BETTER) == [900] * 6


def test_the_reduction_factor_sets_the_rungs(tmp_path: Path) -> None:
    # of two trials at 100 and at 200 steps one goes on
    definition = make(tmp_path, kind="asha", min_steps=100, reduction_factor=2)
    study = optuna.create_study(direction="maximize", pruner=make_pruner(definition))
    assert run_trial(study, 1.0, steps=100) == 100
    assert run_trial(study, 2.0, steps=200) == 200
    assert run_trial(study, 1.5) == 100
    assert run_trial(study, 3.0) == 900


def test_hyperbands_brackets_have_several_first_steps(tmp_path: Path) -> None:
    definition = make(tmp_path, kind="hyperband", min_steps=100)
    ends = run_study(definition, [20.0 - number for number in range(20)])
    assert {100, 300} <= set(ends) <= {100, 300, 900}
