from typing import Any

import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from rrnn_lit.search.space import (
    Dimension,
    extremes,
    make_dimension,
    options_of,
    published_params,
    suggest,
)

LOG = {"distribution": "log_uniform", "low": 1.0e-7, "high": 1.0e-5}
FLOAT = {"distribution": "uniform", "low": 0.0, "high": 0.4}
INT = {"distribution": "int_uniform", "low": 128, "high": 512}
LIST = {"distribution": "categorical", "values": [0.8, 0.85, "x", None, True]}
WINNER = 0.9999986886978

SPACE = (
    make_dimension("model.decay", {**LOG, "one_minus": True, "published": WINNER}),
    make_dimension("loss.match_margin", {**FLOAT, "step": 0.1, "published": 0.3}),
    make_dimension("model.hidden_size", {**INT, "step": 64, "published": 192}),
    make_dimension("model.beta1", {**LIST, "published": 0.85}),
)
NAMES = ["1-model.decay", "loss.match_margin", "model.hidden_size", "model.beta1"]


@pytest.mark.parametrize(
    ("settings", "distribution"),
    [
        (LOG, FloatDistribution(1e-7, 1e-5, log=True)),
        (FLOAT, FloatDistribution(0.0, 0.4)),
        ({**FLOAT, "step": 0.1}, FloatDistribution(0.0, 0.4, step=0.1)),
        (INT, IntDistribution(128, 512)),
        ({**INT, "step": 64}, IntDistribution(128, 512, step=64)),
        ({**INT, "distribution": "int_log_uniform"}, IntDistribution(128, 512, log=True)),
        (LIST, CategoricalDistribution([0.8, 0.85, "x", None, True])),
    ],
)
def test_distribution_is_optunas(settings: dict[str, Any], distribution: BaseDistribution) -> None:
    assert make_dimension("model.x", settings).optuna_distribution == distribution


@pytest.mark.parametrize(
    "settings",
    [LOG, {**LOG, "one_minus": True, "published": WINNER}, {**FLOAT, "step": 0.1}, INT, LIST],
)
def test_settings_come_back(settings: dict[str, Any]) -> None:
    assert make_dimension("model.x", settings).as_settings() == settings


def test_published_values_are_trial_0_to_the_last_digit() -> None:
    params = published_params(SPACE)
    assert params is not None
    assert list(params) == NAMES
    study = optuna.create_study()
    study.enqueue_trial(params)
    got = suggest(study.ask(), SPACE)
    assert got == {
        "model.decay": WINNER,
        "loss.match_margin": 0.3,
        "model.hidden_size": 192,
        "model.beta1": 0.85,
    }


def test_a_space_without_published_values_has_no_such_trial() -> None:
    assert published_params((make_dimension("model.x", LOG),)) is None


def test_one_minus_draws_the_distance_from_1() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    trials = [study.ask() for _ in range(300)]
    decays = [suggest(trial, SPACE)["model.decay"] for trial in trials]
    assert all(1 - 1e-5 <= decay <= 1 - 1e-7 for decay in decays)
    assert all(
        trial.params["1-model.decay"] == pytest.approx(1 - decay)
        for trial, decay in zip(trials, decays, strict=True)
    )
    # half of the draws in each of the two decades
    assert 110 < sum(decay > 1 - 1e-6 for decay in decays) < 190


@pytest.mark.parametrize(
    ("low", "high", "published", "parameter"), [(0.01, 0.5, 0.99, 0.01), (1e-3, 0.1, 0.9, 0.1)]
)
def test_a_published_value_on_the_edge_is_inside(
    low: float, high: float, published: float, parameter: float
) -> None:
    settings = {"distribution": "log_uniform", "low": low, "high": high, "one_minus": True}
    dimension = make_dimension("model.decay", {**settings, "published": published})
    assert published_params((dimension,)) == {"1-model.decay": parameter}


def test_stored_parameters_give_the_options_again() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    trial = study.ask()
    options = suggest(trial, SPACE)
    assert options_of(trial.params, SPACE) == options
    assert suggest(trial, SPACE) == options
    # a trial that died half drawn
    assert options_of({"model.hidden_size": 128, "other": 1}, SPACE) == {"model.hidden_size": 128}


def test_values_have_the_type_of_their_distribution() -> None:
    study = optuna.create_study()
    options = suggest(study.ask(), (*SPACE, make_dimension("a.b", {**INT, "low": 1})))
    assert type(options["model.hidden_size"]) is int
    assert type(options["a.b"]) is int
    assert type(options["model.decay"]) is float


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (3, "space.model.x: wanted a group of options, got 3"),
        ({}, "space.model.x.distribution: wanted a value, got none"),
        ({**LOG, "hihg": 1}, "hihg: wanted one of .*, got 'hihg'; did you mean high?"),
        ({**LOG, "distribution": "normal"}, "wanted one of uniform, log_uniform, int_uniform, in"),
        ({**LOG, "low": 1.0e-5}, "low: wanted low < high, got 1e-05 and 1e-05"),
        ({**LOG, "low": 1}, "low: wanted low < high, got 1 and 1e-05"),
        ({**LOG, "low": 0}, "low: wanted more than 0 for a logarithm, got 0"),
        ({**LOG, "low": -1.0}, "low: wanted more than 0 for a logarithm, got -1.0"),
        ({**INT, "low": 0, "distribution": "int_log_uniform"}, "more than 0 for a logarithm"),
        ({**LOG, "low": "1e-7"}, "low: wanted a number, got the text '1e-7'; write 1.0e-7$"),
        ({**LOG, "low": "2.5e8"}, "low: .* got the text '2.5e8'; write 2.5e.8$"),
        ({**LOG, "low": "little"}, "low: wanted a finite number, got 'little'"),
        ({**LOG, "low": True}, "low: wanted a finite number, got True"),
        ({**LOG, "high": float("inf")}, "high: wanted a finite number, got inf"),
        ({**LOG, "high": float("nan")}, "high: wanted a finite number, got nan"),
        ({**LOG, "high": 10**400}, "high: wanted a finite number, got 1000"),
        ({**INT, "low": 128.0}, "low: wanted a whole number, got 128.0"),
        ({**INT, "high": 2**60}, "high: wanted a whole number, got 1152921504606846976"),
        ({"distribution": "uniform", "low": 1}, "space.model.x.high: wanted a value, got none"),
        ({**LOG, "step": 0.1}, "step: wanted no such key for log_uniform"),
        ({**INT, "one_minus": True}, "one_minus: wanted no such key for int_uniform"),
        ({**INT, "step": 0}, "step: wanted a number above 0, got 0"),
        ({**INT, "step": 100}, "step: wanted a step that leads from 128 to 512, got 100"),
        (
            {**FLOAT, "low": 0, "high": 1, "step": 1.0e-300},
            "step: wanted at most 90071992547",
        ),
        ({**FLOAT, "low": -1.7e308, "high": 1.7e308}, "low: wanted a finite distance to high"),
        ({**INT, "step": 1.5}, "step: wanted a whole number, got 1.5"),
        ({**FLOAT, "step": -0.1}, "step: wanted a number above 0, got -0.1"),
        ({**LOG, "one_minus": 1}, "one_minus: wanted true or false, got 1"),
        ({**FLOAT, "one_minus": True}, "one_minus: wanted low and high between 0 and 1"),
        ({**LOG, "high": 1.0, "one_minus": True}, "one_minus: wanted low and high between 0 and"),
        ({**LIST, "low": 1}, "low: wanted no such key for categorical"),
        ({"distribution": "categorical"}, "values: wanted a value, got none"),
        ({**LIST, "values": []}, r"values: wanted a list of at least one value, got \[\]"),
        ({**LIST, "values": "ab"}, "values: wanted a list of at least one value, got 'ab'"),
        ({**LIST, "values": [1, 2, 1.0]}, "values: wanted every value once, got 1.0 again"),
        ({**LIST, "values": [[1]]}, r"values: wanted numbers, texts, .*, got \[1\]"),
        ({**LIST, "values": ["1e-3"]}, "values: wanted a number, got the text '1e-3'"),
        ({**LIST, "values": [float("inf")]}, "values: wanted finite numbers, got inf"),
        ({**LIST, "published": 0.9}, "published: wanted one of 0.8, 0.85, x, None, True, got 0.9"),
        ({**LIST, "published": 1}, "published: wanted one of .*, got 1"),
        (
            {**LOG, "published": 1.0e-4},
            "wanted a value from 1e-07 to 1e-05, got 0.0001",
        ),
        ({**LOG, "published": "1e-6"}, "published: wanted a number, got the text '1e-6'"),
        (
            {**LOG, "one_minus": True, "published": 1.0e-6},
            "wanted a value from 0.99999 to",
        ),
        ({**INT, "published": 130.0}, "published: wanted a whole number, got 130.0"),
        ({**INT, "step": 64, "published": 130}, "published: wanted 128 and steps of 64, got 130"),
    ],
)
def test_a_mistake_is_named(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        make_dimension("model.x", settings)
    assert str(caught.value).startswith("space.model.x")


def test_extremes_are_the_ends_of_ranges_and_all_values_in_a_few_runs() -> None:
    space = (
        make_dimension("a.x", {"distribution": "categorical", "values": [1, "b", None]}),
        make_dimension("a.y", {**INT, "low": 1, "high": 3}),
        make_dimension(
            "a.z", {"distribution": "uniform", "low": 0.25, "high": 0.5, "one_minus": True}
        ),
    )
    assert extremes(space) == [
        {"a.x": 1, "a.y": 1, "a.z": 0.75},
        {"a.x": "b", "a.y": 3, "a.z": 0.5},
        {"a.x": None, "a.y": 1, "a.z": 0.75},
    ]
    long = make_dimension("a.x", {"distribution": "categorical", "values": list(range(99))})
    assert len(extremes([long])) == 10


def test_a_dimension_can_be_made_in_code() -> None:
    dimension = Dimension("model.x", "categorical", values=(1, 2))
    assert dimension.name == "model.x"
    assert dimension.optuna_distribution == CategoricalDistribution([1, 2])
