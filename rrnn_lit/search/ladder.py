"""The ladder: many trials with a small budget, the best of them go on with a larger one.

`extend` makes the next rung, a study of its own; the promoted config is the last.
"""

import re
import sys
from dataclasses import replace

import optuna
from optuna.trial import FrozenTrial, TrialState

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

    All rungs train the same runs in the same folders. So each has more steps than those before
    it, and the one before has ended. A run that its own stopping rule ended in a rung below ends
    at once in this one, with the same value.

    Raises:
        ValueError: there are not so many complete trials, `steps` is no more than they had, or
            another rung is in the way.
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
    with storage.lock(root):  # of several new rungs one is made first
        _refuse_overlap(root, below.user_attrs[attributes.TOKEN], steps, best, storage)
        study, rung = open_study(_rung(definition, f"{root}-{steps}", steps, best), storage)
        with storage.lock(rung.name):
            _set_root(study, root, below.user_attrs[attributes.TOKEN])
            _enqueue(study, chosen)
    return study, rung


def _refuse_overlap(root: str, token: str, steps: int, best: int, storage: SweepStorage) -> None:
    """Raise ValueError if another rung of the root writes, or has written, what this one would."""
    rungs = _rungs(root, token, storage)
    own = rungs.pop(steps, None)
    if own is not None and len(own) >= best and all(t.state.is_finished() for t in own):
        return  # it has ended, and nothing is added
    for other, trials in sorted(rungs.items()):
        name = f"{root}-{other}"
        if other > steps:
            raise ValueError(
                f"--steps: wanted more than the {other} of study {name}, which goes on with the"
                f" same runs, got {steps}"
            )
        busy = sum(t.state in (TrialState.RUNNING, TrialState.WAITING) for t in trials)
        if busy:
            raise ValueError(
                f"study {name}: wanted it to have ended before the same runs go on to {steps}"
                f" steps, got {busy} trials that run or wait; `rrnn sweep extend` with --steps"
                f" {other} goes on with them"
            )


def _rungs(root: str, token: str, storage: SweepStorage) -> dict[int, list[FrozenTrial]]:
    """Return steps -> trials of the rungs above a root study."""
    found = {}
    for name in optuna.get_all_study_names(storage):
        match = re.fullmatch(rf"{re.escape(root)}-(\d+)", name)
        if match is not None:
            study = optuna.load_study(study_name=name, storage=storage)
            facts = study.user_attrs
            if (facts.get(attributes.RUNG_OF), facts.get(attributes.TOKEN)) == (root, token):
                found[int(match[1])] = study.get_trials(deepcopy=False)
    return found


def _set_root(study: optuna.Study, root: str, token: str) -> None:
    """Make a new study a rung, also one whose maker died on the way."""
    facts, trials = study.user_attrs, study.get_trials(deepcopy=False)
    if attributes.RUNG_OF not in facts and not trials:
        study.set_user_attr(attributes.TOKEN, token)
        study.set_user_attr(attributes.RUNG_OF, root)
    elif (facts.get(attributes.RUNG_OF), facts.get(attributes.TOKEN)) != (root, token):
        raise ValueError(
            f"study {study.study_name}: wanted a rung of this study {root}, got another study's;"
            " remove it or choose other --steps"
        )


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
