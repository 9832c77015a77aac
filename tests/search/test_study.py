import re
import threading
from copy import deepcopy
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search.attributes import DEFINITION, TOKEN
from rrnn_lit.search.pruning import make_pruner
from rrnn_lit.search.space import suggest
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study import best_trials, load_study, open_study, results
from rrnn_lit.search.study_file import to_json
from tests.search.studies import LEARNING_RATE, define

PUBLISHED = {"model.learning_rate": {**LEARNING_RATE, "published": 1.0e-3}}
ASHA = {"kind": "asha", "min_steps": 10}


def numbered(trials: list[FrozenTrial]) -> list[tuple[int, str]]:
    return [(trial.number, trial.state.name) for trial in trials]


def test_a_new_study_starts_with_the_published_values(
    tmp_path: Path, sqlite_storage: SweepStorage
) -> None:
    study, definition = open_study(define(tmp_path, space=PUBLISHED), sqlite_storage)
    assert (study.study_name, study.direction.name) == ("study", "MAXIMIZE")
    assert study.user_attrs[DEFINITION] == to_json(definition)
    assert re.fullmatch("[0-9a-f]{8}", study.user_attrs[TOKEN])
    assert numbered(study.get_trials()) == [(0, "WAITING")]
    assert suggest(study.ask(), definition.space) == {"model.learning_rate": 1.0e-3}
    assert suggest(study.ask(), definition.space) != {"model.learning_rate": 1.0e-3}


def test_a_study_without_published_values_starts_empty(
    tmp_path: Path, sqlite_storage: SweepStorage
) -> None:
    study, _ = open_study(define(tmp_path), sqlite_storage)
    assert study.get_trials() == []


def test_a_study_is_reopened_as_it_was(tmp_path: Path, sqlite_storage: SweepStorage) -> None:
    definition = define(tmp_path, space=PUBLISHED, pruner=ASHA)
    first, _ = open_study(definition, sqlite_storage)
    second, again = open_study(definition, sqlite_storage)
    third, loaded = load_study("study", sqlite_storage)
    assert definition == again == loaded
    for study in (second, third):
        assert study.user_attrs == first.user_attrs
        assert numbered(study.get_trials()) == [(0, "WAITING")]
        assert type(study.pruner) is type(make_pruner(definition))
        assert type(study.sampler) is type(first.sampler)


def test_two_studies_of_one_name_have_different_tokens(
    tmp_path: Path, sqlite_storage: SweepStorage
) -> None:
    tokens = []
    for _ in range(2):
        study, _ = open_study(define(tmp_path), sqlite_storage)
        tokens.append(study.user_attrs[TOKEN])
        optuna.delete_study(study_name="study", storage=sqlite_storage)
    assert tokens[0] != tokens[1]


def test_stopping_limits_and_curves_may_change(
    tmp_path: Path, sqlite_storage: SweepStorage
) -> None:
    open_study(define(tmp_path), sqlite_storage)
    curves = {"x": "model.learning_rate", "curve": "model.learning_rate", "y": ["a/b"]}
    changed = define(tmp_path, stopping={"trials": 99}, limits={"seconds": 5}, curves=curves)
    assert open_study(changed, sqlite_storage)[1] == changed
    assert load_study("study", sqlite_storage)[1] == changed


def test_numbers_may_be_written_another_way(tmp_path: Path, sqlite_storage: SweepStorage) -> None:
    before, _ = open_study(define(tmp_path, overrides={"model.l2": 1}), sqlite_storage)
    study, _ = open_study(define(tmp_path, overrides={"model.l2": 1.0}), sqlite_storage)
    assert study.user_attrs == before.user_attrs


SECOND = {"distribution": "categorical", "values": [1, 2]}
GRID: dict[str, Any] = {
    "space": {"model.a": SECOND, "model.b": deepcopy(SECOND)},  # one object would be an alias
    "sampler": {"kind": "grid"},
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": {"steps": 2000}}, "budget.steps: the study has 1000, the file 2000"),
        ({"seed": 8}, "seed: the study has 7, the file 8"),
        (
            {"objective": {"metric": "tune/matched_words", "direction": "minimize"}},
            "objective.direction: the study has maximize, the file minimize",
        ),
        (
            {"objective": {"metric": "test/matched_words", "direction": "maximize"}},
            "objective.metric: the study has tune/matched_words, the file test/matched_words",
        ),
        ({"overrides": {"model.l2": 2}}, "overrides.model.l2: the study has 1, the file 2"),
        ({"overrides": {"model.l2": True}}, "overrides.model.l2: the study has 1, the file True"),
        ({"overrides": {"model.eps": 1}}, "overrides.model.l2: the study has 1, the file nothing"),
        (
            {"space": {"model.learning_rate": {**LEARNING_RATE, "high": 1.0e-1}}},
            "space.model.learning_rate.high: the study has 0.01, the file 0.1",
        ),
        (
            {"space": {"model.learning_rate": LEARNING_RATE, "model.a": SECOND}},
            "space.model.a.distribution: the study has nothing, the file categorical",
        ),
        ({"sampler": {"kind": "tpe"}}, "sampler.kind: the study has random, the file tpe"),
        ({"pruner": ASHA}, "pruner.kind: the study has none, the file asha"),
    ],
)
def test_another_study_of_that_name_is_refused(
    tmp_path: Path, sqlite_storage: SweepStorage, changes: dict[str, Any], message: str
) -> None:
    base: dict[str, Any] = {"overrides": {"model.l2": 1}}
    study, definition = open_study(define(tmp_path, **base), sqlite_storage)
    with pytest.raises(ValueError, match=f"^study study: {message}; choose another name with --n"):
        open_study(define(tmp_path, **{**base, **changes}), sqlite_storage)
    assert study.user_attrs[DEFINITION] == to_json(definition)


def test_another_base_config_is_refused(tmp_path: Path, sqlite_storage: SweepStorage) -> None:
    definition = define(tmp_path)
    open_study(definition, sqlite_storage)
    definition.base_options["model"]["hidden_size"] = 9
    with pytest.raises(ValueError, match="base.model.hidden_size: the study has 8, the file 9"):
        open_study(definition, sqlite_storage)


@pytest.mark.parametrize(
    ("kind", "counts"), [("random", False), ("tpe", False), ("grid", True), ("qmc", True)]
)
def test_the_order_of_the_space_counts_where_points_are_drawn(
    tmp_path: Path, sqlite_storage: SweepStorage, kind: str, counts: bool
) -> None:
    turned = dict(reversed(GRID["space"].items()))
    sampler = {"kind": kind}
    open_study(define(tmp_path, space=GRID["space"], sampler=sampler), sqlite_storage)
    if not counts:
        open_study(define(tmp_path, space=turned, sampler=sampler), sqlite_storage)
        return
    with pytest.raises(ValueError, match="order of space: the study has model.a, model.b, the fi"):
        open_study(define(tmp_path, space=turned, sampler=sampler), sqlite_storage)


def foreign_study(storage: SweepStorage) -> optuna.Study:
    return optuna.create_study(storage=storage, study_name="study", direction="maximize")


def test_a_study_of_another_program_is_refused(
    tmp_path: Path, sqlite_storage: SweepStorage
) -> None:
    study = foreign_study(sqlite_storage)
    study.tell(study.ask(), 1.0)
    with pytest.raises(ValueError, match="study study: wanted one that rrnn made, got another pr"):
        open_study(define(tmp_path), sqlite_storage)
    with pytest.raises(ValueError, match="study study: wanted one that rrnn made, got another pr"):
        load_study("study", sqlite_storage)
    assert study.user_attrs == {}


@pytest.mark.parametrize("steps_done", [0, 1, 2])
def test_a_study_that_a_host_left_half_made_is_finished(
    tmp_path: Path, sqlite_storage: SweepStorage, steps_done: int
) -> None:
    study = foreign_study(sqlite_storage)
    if steps_done > 0:
        study.set_user_attr(TOKEN, "01234567")
    if steps_done > 1:
        study.enqueue_trial({"model.learning_rate": 1.0e-3})
    study, definition = open_study(define(tmp_path, space=PUBLISHED), sqlite_storage)
    assert study.user_attrs[DEFINITION] == to_json(definition)
    assert numbered(study.get_trials()) == [(0, "WAITING")]


def test_an_empty_study_of_the_other_direction_is_refused(
    tmp_path: Path, sqlite_storage: SweepStorage
) -> None:
    foreign_study(sqlite_storage)
    objective = {"metric": "train/loss", "direction": "minimize"}
    with pytest.raises(ValueError, match="objective.direction: the study has maximize, the file "):
        open_study(define(tmp_path, objective=objective), sqlite_storage)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "study study: cannot read what the storage says about it: name: wanted a value"),
        ("[", "study study: cannot read what the storage says about it: "),
    ],
)
def test_a_definition_of_another_version_is_refused(
    tmp_path: Path, sqlite_storage: SweepStorage, text: str, message: str
) -> None:
    foreign_study(sqlite_storage).set_user_attr(DEFINITION, text)
    with pytest.raises(ValueError, match=message):
        load_study("study", sqlite_storage)
    with pytest.raises(ValueError, match=message):
        open_study(define(tmp_path), sqlite_storage)


def test_a_missing_study_lists_what_there_is(tmp_path: Path, sqlite_storage: SweepStorage) -> None:
    with pytest.raises(ValueError, match="wanted the name of a study, got 'x'; .* has: none$"):
        load_study("x", sqlite_storage)
    open_study(define(tmp_path), sqlite_storage)
    with pytest.raises(ValueError, match="wanted the name of a study, got 'x'; .* has: study$"):
        load_study("x", sqlite_storage)


def test_hosts_that_start_together_make_one_study(
    tmp_path: Path, postgres_storage: SweepStorage
) -> None:
    definition, tokens = define(tmp_path, space=PUBLISHED), []

    def open_it() -> None:
        study, _ = open_study(definition, postgres_storage)
        tokens.append(study.user_attrs[TOKEN])

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 6
    assert len(set(tokens)) == 1
    study, _ = load_study("study", postgres_storage)
    assert numbered(study.get_trials()) == [(0, "WAITING")]


INFINITY = float("inf")


def study_of(direction: Any, values: list[float | None]) -> optuna.Study:
    """Return a study with a trial for each value; None for one without, of states in turn."""
    study = optuna.create_study(direction=direction)
    others = [TrialState.FAIL, TrialState.PRUNED, TrialState.RUNNING, TrialState.WAITING]
    for value in values:
        state = TrialState.COMPLETE if value is not None else others.pop(0)
        study.add_trial(optuna.trial.create_trial(state=state, value=value))
    return study


def test_results_are_complete_and_pruned_trials() -> None:
    study = study_of("maximize", [None, 1.0, None, None, None, 2.0])
    assert numbered(results(study)) == [(1, "COMPLETE"), (2, "PRUNED"), (5, "COMPLETE")]


@pytest.mark.parametrize(
    ("direction", "count", "best"),
    [
        ("maximize", 2, [3, 1]),
        ("maximize", 9, [3, 1, 6, 4]),
        ("minimize", 9, [4, 1, 6, 3]),
        ("minimize", 0, []),
    ],
)
def test_best_trials_come_first_and_ties_by_number(
    direction: str, count: int, best: list[int]
) -> None:
    study = study_of(direction, [None, 2.0, None, 3.0, 1.0, INFINITY, 2.0, -INFINITY])
    assert [trial.number for trial in best_trials(study, count)] == best
