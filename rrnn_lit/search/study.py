"""Studies in a storage: made once, reopened by any host, never changed into another study."""

import json
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState

from rrnn_lit.search.attributes import DEFINITION, TOKEN
from rrnn_lit.search.options import flatten
from rrnn_lit.search.pruning import make_pruner
from rrnn_lit.search.sampler import make_sampler
from rrnn_lit.search.space import published_params
from rrnn_lit.search.stop_rule import RESULT_STATES, best_complete
from rrnn_lit.search.storage import SweepStorage, masked
from rrnn_lit.search.study_file import Definition, as_document, from_json, to_json

# what decides the results; the rest says when to stop and what to draw
_FIXED = (
    "overrides",
    "budget",
    "objective",
    "seed",
    "sampler",
    "pruner",
    "space",
)
_NONE = "nothing"


def open_study(definition: Definition, storage: SweepStorage) -> tuple[optuna.Study, Definition]:
    """Return the study of that name, made if there is none, and what it is.

    A new study has the published values as trial 0. Stopping, limits and curves of a study that
    exists are replaced by those of `definition`.

    Raises:
        ValueError: a study of that name is another one; names the first difference.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with storage.lock(definition.name):
        study = optuna.create_study(
            storage=storage,
            study_name=definition.name,
            direction=definition.direction,
            load_if_exists=True,
            sampler=make_sampler(definition),
            pruner=make_pruner(definition),
        )
        stored = study.user_attrs.get(DEFINITION)
        if stored is None:
            _set_up(study, definition)
            return study, definition
        before = stored_definition(stored, definition.name)
        _refuse_change(before, definition)
        now = replace(
            before,
            stopping=definition.stopping,
            limits=definition.limits,
            curves=definition.curves,
        )
        if now != before:
            study.set_user_attr(DEFINITION, to_json(now))
        return study, now


def load_study(name: str, storage: SweepStorage) -> tuple[optuna.Study, Definition]:
    """Return the study of that name and what it is.

    Raises:
        ValueError: there is none, or `rrnn` did not make it.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    names = sorted(optuna.get_all_study_names(storage))
    if name not in names:
        there = ", ".join(names) or "none"
        got = masked(name)  # a storage's URL in the place of a name
        raise ValueError(f"wanted the name of a study, got {got!r}; the storage has: {there}")
    study = optuna.load_study(study_name=name, storage=storage)
    stored = study.user_attrs.get(DEFINITION)
    if stored is None:
        raise ValueError(f"study {name}: wanted one that rrnn made, got another program's")
    definition = stored_definition(stored, name)
    study = optuna.load_study(
        study_name=name,
        storage=storage,
        sampler=make_sampler(definition),
        pruner=make_pruner(definition),
    )
    return study, definition


def results(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that count: complete or pruned, by number."""
    trials = study.get_trials(deepcopy=False, states=RESULT_STATES)
    return sorted(trials, key=lambda trial: trial.number)


def best_trials(study: optuna.Study, count: int) -> list[FrozenTrial]:
    """Return the best complete trials, the best first; of equal ones the lower number."""
    trials = study.get_trials(deepcopy=False)
    return best_complete(trials, study.direction.name.lower())[:count]


def _set_up(study: optuna.Study, definition: Definition) -> None:
    """Make an empty study ours; one that a host left half made is finished."""
    trials = study.get_trials(deepcopy=False)
    started = any(trial.state is not TrialState.WAITING for trial in trials)
    started = started or len(study.directions) != 1
    if started or set(study.user_attrs) - {TOKEN} or (trials and TOKEN not in study.user_attrs):
        raise ValueError(
            f"study {definition.name}: wanted one that rrnn made, got another program's; "
            "choose another name with --name"
        )
    if study.direction.name.lower() != definition.direction:
        raise ValueError(
            f"study {definition.name}: objective.direction: the study has "
            f"{study.direction.name.lower()}, the file {definition.direction}; "
            "choose another name with --name"
        )
    if TOKEN not in study.user_attrs:
        study.set_user_attr(TOKEN, secrets.token_hex(4))
    published = published_params(definition.space)
    if published is not None and not trials:
        study.enqueue_trial(published)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names([definition.metric])  # what the dashboard calls the objective
    # last: with it the study is whole
    study.set_user_attr(DEFINITION, to_json(definition))


def stored_definition(text: Any, name: str) -> Definition:
    """Return what a study's attribute says that it is.

    Raises:
        ValueError: it cannot be read, or is another study's.
    """
    try:
        if not isinstance(json.loads(str(text)), dict):
            raise ValueError("definition: wanted a group of options, got something else")
        definition = from_json(str(text))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"study {name}: cannot read what the storage says about it: {error}"
        ) from error
    if definition.name != name:
        raise ValueError(f"study {name}: the storage says that it is {definition.name}")
    return definition


def _refuse_change(before: Definition, now: Definition) -> None:
    old, new = _facts(before), _facts(now)
    for name in dict.fromkeys([*old, *new]):
        was, wanted = old.get(name, _NONE), new.get(name, _NONE)
        if was == {} and any(other.startswith(f"{name}.") for other in new):
            continue  # an empty group became options, which are told one by one
        if wanted == {} and any(other.startswith(f"{name}.") for other in old):
            continue
        if was != wanted or isinstance(was, bool) != isinstance(wanted, bool):
            raise ValueError(
                f"study {now.name}: {name}: the study has {was}, the file {wanted}; "
                "choose another name with --name for another study"
            )


def _facts(definition: Definition) -> Mapping[str, Any]:
    """Return what must not change, by dotted name."""
    document = json.loads(json.dumps(as_document(definition)))
    fixed = {"base": document["base_options"], **{name: document[name] for name in _FIXED}}
    fixed["space"] = dict(fixed["space"])
    facts = flatten(fixed)
    if definition.sampler.kind in ("grid", "qmc"):  # a point has its axes in the file's order
        facts["order of space"] = ", ".join(dimension.option for dimension in definition.space)
    return facts
