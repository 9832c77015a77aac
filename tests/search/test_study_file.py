from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.search.settings import (
    CurveSettings,
    LimitSettings,
    PrunerSettings,
    SamplerSettings,
    StopSettings,
)
from rrnn_lit.search.study_file import from_json, read_study, to_json
from tests.search.studies import BASE, LEARNING_RATE, define, study_content, write_study

LISTED = {"distribution": "categorical", "values": [1.0e-3, 2.0e-3]}
FULL: dict[str, Any] = {
    "overrides": {"model.hidden_size": 16, "wandb.tags": ["a"], "trainer.max_time": None},
    "space": {
        "model.learning_rate": {**LEARNING_RATE, "published": 1.0e-3},
        "model.decay": {
            "distribution": "uniform",
            "low": 0.01,
            "high": 0.5,
            "one_minus": True,
            "published": 0.9,
        },
        "model.beta1": {"distribution": "categorical", "values": [0.8, 0.85], "published": 0.85},
    },
    "sampler": {"kind": "tpe", "startup_trials": 4},
    "pruner": {"kind": "asha", "min_steps": 100, "reduction_factor": 2},
    "stopping": {"trials": 3, "hours": 1.5, "target": 100, "patience": 2},
    "limits": {"seconds": 60, "no_progress_seconds": 30, "max_failures": 2},
    "curves": {"x": "model.learning_rate", "curve": "model.beta1", "y": ["train/loss"]},
}


def test_everything_in_the_file_is_in_the_definition(tmp_path: Path) -> None:
    got = define(tmp_path, **FULL)
    assert (got.name, got.steps, got.seed) == ("study", 1000, 7)
    assert (got.metric, got.direction) == ("tune/matched_words", "maximize")
    assert got.overrides == FULL["overrides"]
    assert got.base_options == BASE
    assert [dimension.option for dimension in got.space] == list(FULL["space"])
    assert got.sampler == SamplerSettings("tpe", 4)
    assert got.pruner == PrunerSettings("asha", 100, 2)
    assert got.stopping == StopSettings(3, 1.5, 100, 2)
    assert got.limits == LimitSettings(60, 30, 2)
    assert got.curves == CurveSettings("model.learning_rate", "model.beta1", None, ("train/loss",))


def test_what_a_file_leaves_out_is_switched_off(tmp_path: Path) -> None:
    got = define(tmp_path)
    assert (got.overrides, got.curves) == ({}, None)
    assert got.sampler.kind == "random"
    assert got.pruner.kind == "none"
    assert got.stopping == StopSettings(10)
    assert got.limits == LimitSettings()


@pytest.mark.parametrize("changes", [{}, FULL], ids=["smallest", "full"])
def test_a_definition_comes_back_from_json(tmp_path: Path, changes: dict[str, Any]) -> None:
    definition = define(tmp_path, **changes)
    assert from_json(to_json(definition)) == definition
    assert to_json(from_json(to_json(definition))) == to_json(definition)


def test_json_keeps_the_order_of_the_space(tmp_path: Path) -> None:
    space = {"model.z": LISTED, "model.a": LISTED, "model.m": LISTED}
    got = from_json(to_json(define(tmp_path, space=space, sampler={"kind": "grid"})))
    assert [dimension.option for dimension in got.space] == list(space)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "../x"}, "--name: wanted at most 100 letters"),
        ({"overrides": {"run.folder": "x"}}, "overrides.run.folder: wanted an option"),
        ({"seed": -1}, "seed: wanted a number of at least 0, got -1"),
        ({"steps": "many"}, "budget.steps: wanted a whole number, got 'many'"),
    ],
)
def test_json_is_checked_like_a_file(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(to_json(replace(define(tmp_path), **changes)))


def test_what_json_does_not_know_is_named(tmp_path: Path) -> None:
    definition = replace(define(tmp_path), overrides={"a.b": [date(2026, 9, 1)]})
    with pytest.raises(ValueError, match=r"overrides.a.b\[0\]: wanted a number, text, list or"):
        to_json(definition)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{}", '{"later": 1}', '{"name": "x", "base_options": {}, "space": 3}']
)
def test_json_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


@pytest.mark.parametrize("place", ["working_directory", "beside", "above"])
def test_the_base_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    folders = {
        "working_directory": tmp_path / "elsewhere",
        "beside": tmp_path / "a/sweeps",
        "above": tmp_path / "a",
    }
    path = write_study(tmp_path / "a/sweeps", base="configs/b.yaml")
    config = folders[place] / "configs/b.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("model: {hidden_size: 3, eps: 1e-6}\nday: 2026-09-01\n", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    # numbers and dates as the run's own parser reads them
    assert read_study(path).base_options == {
        "model": {"hidden_size": 3, "eps": 1e-6},
        "day": "2026-09-01",
    }


def test_a_missing_base_is_looked_for_in_three_places(tmp_path: Path) -> None:
    path = write_study(tmp_path / "sweeps", base="nosuch.yaml")
    with pytest.raises(ValueError, match="'nosuch.yaml'; looked for ") as caught:
        read_study(path)
    for folder in (Path.cwd(), tmp_path / "sweeps", tmp_path):
        assert str(folder / "nosuch.yaml") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "wanted a YAML file of options, got something else"),
        ("a: {", "base.yaml, line 1: wanted YAML"),
        ("a: 1\nb: {c: 1}\na: 2", "base.yaml, line 3: wanted every option once, got a again"),
        ("model: {1: 2}", "base.yaml: model.1: wanted a name that is a text, got 1"),
        ("a: !!set {b}", "base.yaml: a: wanted a number, text, list or group"),
        ("a: .nan", "base.yaml: a: wanted a number, got nan"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("a: &b [*b]", "aliases for more"),
        ("a: " + "[" * 5000, "one too deep"),
    ],
)
def test_a_base_of_another_kind_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write_study(tmp_path)
    (tmp_path / "base.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_study(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "study.yaml: wanted a YAML file of options, got something else"),
        ("base: x\nspace: {a: 1, a: 2}", "study.yaml, line 2: wanted every option once, got a"),
        ("base: x\n\tseed: 1", "study.yaml, line 2: wanted YAML, got: found character"),
        ("a: \x00", "study.yaml: wanted YAML, got: "),
        ("? [1]\n: 2", "study.yaml, line 1: wanted YAML, got: found unhashable key"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_study(write_study(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nosuch.yaml: wanted a readable YAML file, got: "):
        read_study(tmp_path / "nosuch.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"base: \xe9\n")
    with pytest.raises(ValueError, match="latin.yaml: wanted UTF-8 text"):
        read_study(tmp_path / "latin.yaml")


GRID = {"space": {"model.decay": LISTED, "model.eps": LISTED}, "sampler": {"kind": "grid"}}


def test_a_grid_is_done_after_its_points(tmp_path: Path) -> None:
    assert define(tmp_path, **GRID, stopping=None).stopping == StopSettings(4)
    assert define(tmp_path, **GRID, stopping={"trials": 2}).stopping == StopSettings(2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budgte": 3}, "budgte: wanted one of .*; did you mean budget?"),
        ({"seed": None}, "seed: wanted a value, got none"),
        ({"base": None}, "base: wanted a config file, got None"),
        ({"base": 3}, "base: wanted a config file, got 3"),
        ({"seed": 1.5}, "seed: wanted a whole number, got 1.5"),
        ({"seed": True}, "seed: wanted a whole number, got True"),
        ({"seed": 2**32}, "seed: wanted a number below 4294967296, got 4294967296"),
        ({"budget": 1000}, "budget: wanted a group of options, got 1000"),
        ({"budget": {"step": 1}}, "budget.step: wanted one of steps, got 'step'; did you mean st"),
        ({"budget": {"steps": 0}}, "budget.steps: wanted a number of at least 1, got 0"),
        ({"budget": {"steps": "1e3"}}, "budget.steps: .* got the text '1e3'; write 1.0e.3"),
        ({"objective": {"metric": "loss", "direction": "maximize"}}, "objective.metric: wanted a"),
        ({"objective": {"metric": "", "direction": "maximize"}}, "objective.metric: wanted a fig"),
        ({"objective": {"metric": "a/b", "direction": "up"}}, "wanted one of maximize, minimize"),
        ({"objective": {"metric": "a/b"}}, "objective.direction: wanted a value, got none"),
        ({"sampler": {"kind": "cmaes"}}, "sampler.kind: .* got 'cmaes'; CMA-ES keeps a pickle"),
        ({"sampler": {"kind": ["tpe"]}}, "sampler.kind: wanted one of random, tpe, qmc, grid, g"),
        ({"sampler": {}}, "sampler.kind: wanted a value, got none"),
        (
            {"sampler": {"kind": "random", "startup_trials": 3}},
            "startup_trials: wanted no such ",
        ),
        (
            {"sampler": {"kind": "grid"}},
            "learning_rate.distribution: wanted categorical for",
        ),
        ({"pruner": {"kind": "asha"}}, "pruner.min_steps: wanted a value, got none"),
        ({"pruner": {"kind": "asha", "min_steps": 1000}}, "min_steps: wanted less than the 1000 "),
        (
            {"pruner": {"kind": "asha", "min_steps": 10, "reduction_factor": 1}},
            "pruner.reduction_factor: wanted a number of at least 2, got 1",
        ),
        ({"pruner": {"kind": "none", "min_steps": 3}}, "pruner.min_steps: wanted no such key for"),
        ({"stopping": None}, "stopping.trials: wanted a value, got none"),
        ({"stopping": {"trials": 0}}, "stopping.trials: wanted a number of at least 1, got 0"),
        ({"stopping": {"trials": 1, "hours": 0}}, "stopping.hours: wanted a number above 0, got"),
        ({"stopping": {"trials": 1, "target": float("nan")}}, "target: wanted a number, got nan"),
        ({"stopping": {"trials": 1, "patience": 0}}, "stopping.patience: wanted a number of at l"),
        ({"limits": {"seconds": -1}}, "limits.seconds: wanted a number above 0, got -1"),
        ({"limits": {"no_progress_seconds": None}}, "no_progress_seconds: wanted a finite number"),
        ({"limits": {"max_failures": "20"}}, "limits.max_failures: wanted a whole number, got '2"),
        ({"space": {}}, "space: wanted at least one option of the run, got {}"),
        ({"space": {"model": LEARNING_RATE, "a b": LISTED}}, "space.a b: wanted a dotted option"),
        ({"space": {3: LISTED}}, "space.3: wanted a name that is a text, got 3"),
        (
            {"space": {"trainer.max_steps": LISTED}},
            "leaves open; it is budget.steps",
        ),
        ({"overrides": {"trainer.max_steps": 3}}, "overrides.trainer.max_steps: .*budget.steps"),
        ({"overrides": {"run.folder": "x"}}, "overrides.run.folder: wanted an option that the sw"),
        (
            {"overrides": {"run.if_exists": "new"}},
            "overrides.run.if_exists: wanted an ",
        ),
        ({"overrides": {"wandb.group": "x"}}, "wandb.group: .*; it is the name of the study"),
        ({"overrides": {"model.learning_rate": 1}}, "overrides.model.learning_rate: .* in both"),
        ({"overrides": {"model.l2": "1e-6"}}, "model.l2: .* the text '1e-6'; write 1.0e-6"),
        ({"overrides": {"model.x": ["2.5e3"]}}, "model.x: .* the text '2.5e3'; write 2.5e.3"),
        ({"overrides": {"model": {"l2": 1}}}, "overrides.model: wanted dotted options .model.l2"),
        ({"overrides": [1]}, r"overrides: wanted a group of options, got \[1\]"),
        ({"curves": {"x": "a", "curve": "b", "y": ["c"]}}, "curves.x: wanted one of model.learni"),
        ({"curves": {**FULL["curves"], "y": []}}, "curves.y: wanted a list of figures, got"),
        ({**GRID, "space": {"model.eps": {**LISTED, "published": 1.0e-3}}}, "wanted none in a gr"),
        (
            {"space": {**FULL["space"], "model.eps": LISTED}},
            "space.model.eps.published: wanted a value for every option or for none",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    content = study_content(**changes)
    path = write_study(tmp_path, yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(ValueError, match=message) as caught:
        read_study(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [".hidden", "a/b", "a b", "", "x" * 101, "ä"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="--name: wanted at most 100 letters, digits"):
        read_study(write_study(tmp_path), name)


def test_a_name_replaces_that_of_the_file(tmp_path: Path) -> None:
    assert read_study(write_study(tmp_path), "second-try_2.0").name == "second-try_2.0"
