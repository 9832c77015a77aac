"""The ladder: many trials with a small budget, the best of them go on with a larger one.

`extend` makes the next rung, a study of its own; the promoted config is the last.
"""

import sys
from dataclasses import replace

import optuna
from optuna.trial import FrozenTrial

from rrnn_lit.search import attributes
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study import best_trials, load_study, open_study
from rrnn_lit.search.study_file import Definition, PrunerSettings, SamplerSettings


def extend(
    name: str, best: int, steps: int, storage: SweepStorage
) -> tuple[optuna.Study, Definition]:
    """Return the study of the next rung: the best trials of study `name`, up to `steps` steps.

    It is called `<root>-<steps>`, root being the study at the foot of the ladder. Called again
    it adds only trials that are missing from `best`; those chosen first stay.

    Raises:
        ValueError: there are not so many complete trials, or `steps` is no more than they had.
    """
    below, definition = load_study(name, storage)
    if steps <= definition.steps:
        raise ValueError(
            f"--steps: wanted more than the {definition.steps} of study {name}, got {steps}"
        )
    chosen = best_trials(below, max(best, 1))
    if best < 1 or len(chosen) < best:
        raise ValueError(
            f"--best: wanted at least 1 and at most the complete trials of study {name},"
            f" got {best}; complete are {len(best_trials(below, sys.maxsize))}"
        )
    root = below.user_attrs.get(attributes.RUNG_OF, name)
    study, rung = open_study(_rung(definition, f"{root}-{steps}", steps, best), storage)
    with storage.lock(rung.name):
        study.set_user_attr(attributes.RUNG_OF, root)
        _enqueue(study, chosen)
    return study, rung


def _rung(definition: Definition, name: str, steps: int, best: int) -> Definition:
    return replace(
        definition,
        name=name,
        steps=steps,
        # the trials are given: nothing is drawn, not even the published values
        space=tuple(replace(dimension, published=None) for dimension in definition.space),
        sampler=SamplerSettings(kind="random"),
        pruner=PrunerSettings(kind="none"),
        stopping=replace(definition.stopping, trials=best, target=None, patience=None),
    )


def _enqueue(study: optuna.Study, chosen: list[FrozenTrial]) -> None:
    """Queue the chosen trials that the rung lacks, as many as are wanted in all."""
    there = {t.user_attrs.get(attributes.ORIGIN) for t in study.get_trials(deepcopy=False)}
    for trial in chosen:
        origin = trial.user_attrs.get(attributes.ORIGIN, trial.number)
        if origin not in there and len(there) < len(chosen):
            there.add(origin)
            study.enqueue_trial(trial.params, user_attrs={attributes.ORIGIN: origin})
