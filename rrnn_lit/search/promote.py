"""`rrnn sweep promote`: a complete config for a run, often a wider one, with a trial's options."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.trial import FrozenTrial

from rrnn_lit.search.files import want_free
from rrnn_lit.search.options import check_options, flatten
from rrnn_lit.search.show import number_text
from rrnn_lit.search.space import options_of
from rrnn_lit.search.stop_rule import finite_value
from rrnn_lit.search.study import best_trials, results
from rrnn_lit.search.study_file import Definition
from rrnn_lit.search.yaml_text import put_options, value_text
from rrnn_lit.whole_files import write_text

Resolve = Callable[[Path, Mapping[str, Any]], Mapping[str, Any]]
_WIDTH = "model.hidden_size"
_SCALING = "model.scaling"
_BASE_SIZE = "model.base_size"


def promote(
    study: optuna.Study,
    definition: Definition,
    number: int | None,
    base: Path,
    out: Path,
    extra: Mapping[str, Any],
    force: bool,
    resolve: Resolve,
) -> list[str]:
    """Write a complete config: `base` with the options of a trial; return lines that say so.

    Args:
        study: the study.
        definition: what it is.
        number: of the trial; None for the best.
        base: config file with everything the study did not search.
        out: file to write.
        extra: dotted options that win over both.
        force: whether `out` may be replaced.
        resolve: returns all options of a run from a config file and dotted overrides.

    Raises:
        ValueError: no such trial, or a file or option that a run would refuse.
        FileExistsError: `out` is there and `force` is off.
    """
    trial = _complete_trial(study, definition, number)
    found = options_of(trial.params, definition.space)
    options = {**found, **extra}
    if not base.is_file():
        raise ValueError(f"--base: wanted a config file, got {str(base)!r}")
    want_free(out, force)
    known = flatten(resolve(base, {}))
    check_options(replace(definition, space=(), overrides=options), known)
    try:
        text = put_options(base.read_text(encoding="utf-8"), options, _mark(trial, definition))
    except ValueError as error:  # no UTF-8, no YAML
        raise ValueError(f"--base {base}: {error}") from error
    note = transfer_note(definition, found, {**known, **options})
    header = _header(study, definition, trial, base, out, extra, note)
    text = header + _without_header(text)
    out.parent.mkdir(parents=True, exist_ok=True)
    trial_file = out.with_name(f"{out.stem}.{os.getpid()}.part.yaml")
    try:
        write_text(trial_file, text)
        resolve(trial_file, {})
        trial_file.replace(out)
    finally:
        trial_file.unlink(missing_ok=True)
    return [f"written: {out} (trial {trial.number} of study {definition.name})", note]


def _complete_trial(
    study: optuna.Study, definition: Definition, number: int | None
) -> FrozenTrial:
    if number is None:
        best = best_trials(study, 1)
        if not best:
            raise ValueError(f"study {definition.name}: wanted a complete trial, it has none yet")
        return best[0]
    trials = study.get_trials(deepcopy=False)
    complete = [t.number for t in trials if finite_value(t) is not None]
    if number not in complete:
        some = ", ".join(map(str, complete[:20])) or "none yet"
        raise ValueError(f"--trial: wanted a complete trial ({some}), got {number}")
    return trials[number]


def _mark(trial: FrozenTrial, definition: Definition) -> str:
    return f"{definition.name}, trial {trial.number}"


def _header(
    study: optuna.Study,
    definition: Definition,
    trial: FrozenTrial,
    base: Path,
    out: Path,
    extra: Mapping[str, Any],
    note: str,
) -> str:
    value = number_text(trial.value, 6)
    sets = "".join(f" --set {option}={value_text(v)}" for option, v in extra.items())
    lines = [
        f"Promoted from study {definition.name}, trial {trial.number}.",
        "",
        f"command:   rrnn fit --config {out}",
        f"made by:   rrnn sweep promote {definition.name} --base {base} --out {out}"
        f" --trial {trial.number}{sets}",
        f"found as:  {definition.metric} {value}, {definition.direction}, after"
        f" {definition.steps} steps; the study has {len(results(study))} results",
        f"transfer:  {note}",
    ]
    left = [o for o in definition.overrides if o not in extra]
    lines += [
        f"not taken: {o}: {value_text(definition.overrides[o])}, of all trials" for o in left
    ]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _without_header(text: str) -> str:
    """Return a config without its first comments, which describe another run."""
    lines = text.splitlines(keepends=True)
    while lines and (lines[0].startswith("#") or not lines[0].strip()):
        del lines[0]
    return "".join(lines)


def transfer_note(definition: Definition, found: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return in one line what the change of width means for the values found.

    Args:
        definition: what the study is.
        found: dotted options of the trial.
        new: all dotted options of the config they go to.
    """
    old = {**flatten(definition.base_options), **definition.overrides, **found}
    width, new_width = old.get(_WIDTH), new.get(_WIDTH)
    scaling, new_scaling = old.get(_SCALING) or "none", new.get(_SCALING) or "none"
    if scaling != new_scaling or (
        scaling != "none" and old.get(_BASE_SIZE) != new.get(_BASE_SIZE)
    ):
        return (
            f"{_SCALING} {scaling}, {_BASE_SIZE} {old.get(_BASE_SIZE)} became {new_scaling},"
            f" {new.get(_BASE_SIZE)}: learning rates and scales mean something else now"
        )
    if width == new_width:
        return f"same width {width}: all values carry over"
    if scaling == "none":
        return (
            f"{_WIDTH} {width} became {new_width} with {_SCALING} none: a learning rate found at"
            f" one width need not fit the other"
        )
    return f"{_WIDTH} {width} became {new_width}; {_SCALING} {scaling} adjusts the learning rates"


def read_extra(pairs: list[str]) -> dict[str, Any]:
    """Return dotted option -> value of `--set option=value` parts; values are read as YAML.

    Raises:
        ValueError: a part that is no `option=value`.
    """
    options = {}
    for pair in pairs:
        option, equals, text = pair.partition("=")
        if not option or not equals:
            raise ValueError(f"--set: wanted option=value, got {pair!r}")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"--set {option}: wanted a YAML value, got {text!r}") from error
        options[option] = _number(value) if isinstance(value, str) else value
    return options


def _number(text: str) -> float | str:
    """Return 1e-4 as a number: YAML 1.1 wants a dot in it."""
    try:
        return float(text)
    except ValueError:
        return text
