import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.sampler import grid_point, make_sampler, sobol_point
from rrnn_lit.search.space import make_dimension, suggest
from rrnn_lit.search.study_file import Definition
from tests.search.studies import LEARNING_RATE, define

SPACE: dict[str, Any] = {
    "model.learning_rate": LEARNING_RATE,
    "model.decay": {
        "distribution": "log_uniform",
        "low": 1.0e-7,
        "high": 1.0e-5,
        "one_minus": True,
    },
    "model.beta1": {"distribution": "categorical", "values": [0.8, 0.85, 0.9, 0.95, 0.99]},
    "model.hidden_size": {"distribution": "int_uniform", "low": 128, "high": 512, "step": 64},
    "model.width": {"distribution": "int_log_uniform", "low": 1, "high": 100},
    "loss.match_margin": {"distribution": "uniform", "low": 0.0, "high": 0.4, "step": 0.1},
}
# a study of this seed and these names draws them on every machine
GOLDEN_LEARNING_RATES = [0.0007574031009751938, 0.0007270559856863839, 0.008040932890562584]
GOLDEN_BETAS = [0.85, 0.95, 0.95, 0.99, 0.9, 0.9]
KEYED = ["random", "tpe", "qmc"]


def make(folder: Path, kind: str = "random", **changes: Any) -> Definition:
    return define(folder, **{"space": SPACE, "sampler": {"kind": kind}, **changes})


def new_study(definition: Definition) -> optuna.Study:
    return optuna.create_study(sampler=make_sampler(definition))


def draw(study: optuna.Study, definition: Definition, count: int) -> dict[int, dict[str, Any]]:
    """Return the options of `count` new trials, which stay running, by number."""
    trials = [study.ask() for _ in range(count)]
    return {trial.number: suggest(trial, definition.space) for trial in trials}


def rows(definition: Definition, count: int) -> list[dict[str, Any]]:
    return list(draw(new_study(definition), definition, count).values())


def test_first_draws_golden(tmp_path: Path) -> None:
    learning_rates = [row["model.learning_rate"] for row in rows(make(tmp_path), 3)]
    # logarithm and its inverse differ between C libraries in the last bits
    assert learning_rates == pytest.approx(GOLDEN_LEARNING_RATES, rel=1e-13)
    assert [row["model.beta1"] for row in rows(make(tmp_path), 6)] == GOLDEN_BETAS


@pytest.mark.parametrize("kind", KEYED)
def test_resume_and_second_worker_draw_new_trials(tmp_path: Path, kind: str) -> None:
    definition = make(tmp_path, kind)
    straight = rows(definition, 8)
    assert len({row["model.learning_rate"] for row in straight}) == 8

    study, together = new_study(definition), {}
    for _ in range(4):
        # a process that comes to the study later has a sampler of its own
        study.sampler = make_sampler(definition)
        together.update(draw(study, definition, 2))
    assert [together[number] for number in range(8)] == straight


@pytest.mark.parametrize("kind", KEYED)
def test_threads_that_share_a_study_draw_what_one_draws(tmp_path: Path, kind: str) -> None:
    definition = make(tmp_path, kind)
    study, together = new_study(definition), {}

    def work() -> None:
        for _ in range(5):
            together.update(draw(study, definition, 1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[number] for number in range(20)] == rows(definition, 20)


@pytest.mark.parametrize("kind", KEYED)
def test_a_trial_that_died_half_drawn_gets_the_same_rest(tmp_path: Path, kind: str) -> None:
    definition = make(tmp_path, kind)
    study = new_study(definition)
    trial = study.ask()
    last = definition.space[-1]
    suggest(trial, [last])
    study.sampler = make_sampler(definition)
    assert suggest(trial, definition.space) == rows(definition, 1)[0]


@pytest.mark.parametrize("kind", KEYED)
def test_other_seeds_draw_other_trials(tmp_path: Path, kind: str) -> None:
    seven, eight = (rows(make(tmp_path, kind, seed=seed), 20) for seed in (7, 8))
    names = ("model.learning_rate", "model.decay")
    assert all(a[name] != b[name] for a, b in zip(seven, eight, strict=True) for name in names)


@pytest.mark.parametrize("kind", [*KEYED, "grid"])
def test_reseeding_changes_nothing(tmp_path: Path, kind: str) -> None:
    space = {"model.beta1": SPACE["model.beta1"]} if kind == "grid" else SPACE
    definition = make(tmp_path, kind, space=space)
    study = new_study(definition)
    study.sampler.reseed_rng()
    assert list(draw(study, definition, 5).values()) == rows(definition, 5)


def test_another_option_leaves_the_draws_of_the_others_alone(tmp_path: Path) -> None:
    fewer = {name: SPACE[name] for name in ("model.beta1", "model.learning_rate")}
    for few, all_ in zip(
        rows(make(tmp_path, space=fewer), 9), rows(make(tmp_path), 9), strict=True
    ):
        assert few == {name: all_[name] for name in few}


def shares_of_range(values: Sequence[float]) -> Any:
    """Return where draws of LEARNING_RATE lie between its ends, as shares of its logarithm."""
    return (np.log10(values) + 4) / 2


@pytest.mark.parametrize("kind", ["random", "qmc"])
def test_draws_fill_the_range_evenly_and_independently(tmp_path: Path, kind: str) -> None:
    definition = make(tmp_path, kind)
    sampler, study = make_sampler(definition), new_study(definition)
    frozen = optuna.trial.create_trial(value=0.0)
    name, kind_of = definition.space[0].name, definition.space[0].optuna_distribution
    values = []
    for number in range(2000):
        frozen.number = number
        values.append(sampler.sample_independent(study, frozen, name, kind_of))
    shares = shares_of_range(values)
    # 2,000 draws: the standard error of a share is at most 0.0112
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert abs(np.mean(shares < share) - share) < 0.04
    assert 0 <= shares.min() < 0.01
    assert 0.99 < shares.max() <= 1
    if kind == "random":
        assert abs(np.corrcoef(shares[:-1], shares[1:])[0, 1]) < 0.08


def test_tpe_starts_like_random_and_then_looks_at_the_results(tmp_path: Path) -> None:
    space = {"model.learning_rate": LEARNING_RATE}
    settings = {"kind": "tpe", "startup_trials": 10}
    definition = make(tmp_path, space=space, sampler=settings)
    chance = [row["model.learning_rate"] for row in rows(make(tmp_path, space=space), 60)]
    study, values = new_study(definition), []
    for _ in range(60):
        trial = study.ask()
        values.append(suggest(trial, definition.space)["model.learning_rate"])
        study.tell(trial, abs(math.log(values[-1] / 1.0e-3)))
    assert values[:10] == chance[:10]
    misses = [np.abs(np.log(np.array(each[30:]) / 1.0e-3)) for each in (values, chance)]
    assert np.median(misses[0]) < 0.5 * np.median(misses[1])


def test_tpe_repeats_itself_on_the_same_results(tmp_path: Path) -> None:
    definition = make(tmp_path, sampler={"kind": "tpe", "startup_trials": 2})
    study = new_study(definition)
    for row in range(4):
        trial = study.ask()
        suggest(trial, definition.space)
        study.tell(trial, float(row))
    copy = new_study(definition)
    copy.add_trials(study.get_trials())
    assert draw(study, definition, 1) == draw(copy, definition, 1)


GRID = {
    "model.scaling": {"distribution": "categorical", "values": ["none", "mup"]},
    "model.hidden_size": {"distribution": "categorical", "values": [128, 256, 512]},
}


def test_a_grid_goes_row_by_row_and_starts_over(tmp_path: Path) -> None:
    got = [tuple(row.values()) for row in rows(make(tmp_path, "grid", space=GRID), 7)]
    assert got == [
        ("none", 128),
        ("none", 256),
        ("none", 512),
        ("mup", 128),
        ("mup", 256),
        ("mup", 512),
        ("none", 128),
    ]
    assert grid_point(make(tmp_path, "grid", space=GRID).space, 5) == {
        "model.scaling": "mup",
        "model.hidden_size": 512,
    }


def test_sobol_points_stay_in_the_range_and_reach_all_of_it(tmp_path: Path) -> None:
    space = make(tmp_path).space
    points = [sobol_point(space, 7, number) for number in range(256)]
    for dimension in space:
        if dimension.low is not None and dimension.high is not None:
            drawn = [point[dimension.name] for point in points]
            assert dimension.low <= min(drawn) <= max(drawn) <= dimension.high
    assert {point["model.hidden_size"] for point in points} == set(range(128, 513, 64))
    assert {point["loss.match_margin"] for point in points} == {0.0, 0.1, 0.2, 0.3, 0.4}
    assert {point["model.beta1"] for point in points} == set(SPACE["model.beta1"]["values"])


def test_sobol_points_spread_better_than_chance(tmp_path: Path) -> None:
    # of 64 points one lies in each 64th of the range
    learning_rates = [row["model.learning_rate"] for row in rows(make(tmp_path, "qmc"), 64)]
    assert len(set(np.floor(shares_of_range(learning_rates) * 64))) == 64


def test_results_do_not_change_a_random_draw(tmp_path: Path) -> None:
    definition = make(tmp_path)
    study, got = new_study(definition), []
    for state in (TrialState.FAIL, TrialState.PRUNED, TrialState.FAIL):
        trial = study.ask()
        got.append(suggest(trial, definition.space))
        study.tell(trial, state=state)
    assert got == rows(definition, 3)


def test_an_unknown_sampler_is_refused(tmp_path: Path) -> None:
    definition = make(tmp_path)
    foreign: dict[str, Any] = {"kind": "cmaes"}
    definition = replace(definition, sampler=replace(definition.sampler, **foreign))
    with pytest.raises(ValueError, match="sampler.kind: wanted one of random, tpe, qmc, grid, g"):
        make_sampler(definition)


def test_a_dimension_of_one_value_needs_no_draw(tmp_path: Path) -> None:
    one = make_dimension("model.beta1", {"distribution": "categorical", "values": [0.8]})
    study = new_study(make(tmp_path))
    assert suggest(study.ask(), [one]) == {"model.beta1": 0.8}
