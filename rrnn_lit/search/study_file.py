"""What a study is: read from its YAML file, or back from the JSON that the storage keeps.

Both are checked by the same code: the storage is shared, and what it says ends in files and
options of runs.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from rrnn_lit.search.fields import Fields, refuse_pointless
from rrnn_lit.search.settings import (
    PRUNERS,
    SAMPLERS,
    CurveSettings,
    LimitSettings,
    PrunerSettings,
    SamplerSettings,
    StopSettings,
    read_curves,
    read_limits,
    read_pruner,
    read_sampler,
    read_stopping,
)
from rrnn_lit.search.space import Dimension, make_dimension
from rrnn_lit.search.yaml_file import check_plain, read_config_yaml, read_study_yaml

__all__ = [
    "CurveSettings",
    "Definition",
    "LimitSettings",
    "PrunerSettings",
    "SamplerSettings",
    "StopSettings",
    "as_document",
    "from_json",
    "read_study",
    "to_json",
]

_KEYS = (
    "overrides",
    "budget",
    "objective",
    "seed",
    "space",
    "sampler",
    "pruner",
    "stopping",
    "limits",
    "curves",
)
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_OPTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
# options that the sweep sets itself -> where a study says it instead
_OWNED = {
    "trainer.max_steps": "it is budget.steps",
    "trainer.enable_progress_bar": "the sweep shows the progress",
    "run.folder": "every trial has a folder of its own",
    "run.if_exists": "a trial goes on in its folder",
    "wandb.group": "it is the name of the study",
    "wandb.job_type": "it is trial",
}


@dataclass(frozen=True)
class Definition:
    """What a study is.

    Attributes:
        name: of the study, its folder and its W&B group.
        overrides: dotted options that all trials share.
        steps: trainer.max_steps of every trial.
        metric: key of metrics.jsonl; a trial's last value counts.
        direction: which values are better.
        seed: of the draws.
        space: what varies, in the order of the file.
        sampler: who draws.
        pruner: who ends bad trials early.
        stopping: when the study is done.
        limits: what a trial may cost.
        curves: a plot of its own; None for none.
        base_options: content of the base config, nested as there.
    """

    name: str
    overrides: dict[str, Any]
    steps: int
    metric: str
    direction: Literal["maximize", "minimize"]
    seed: int
    space: tuple[Dimension, ...]
    sampler: SamplerSettings
    pruner: PrunerSettings
    stopping: StopSettings
    limits: LimitSettings
    curves: CurveSettings | None
    base_options: dict[str, Any]


def read_study(path: Path, name: str | None = None) -> Definition:
    """Return the study that a file describes.

    Args:
        path: study file.
        name: of the study; None for the file's name without its ending.

    Raises:
        ValueError: names the file and the key, what was wanted and what was got.
    """
    content = read_study_yaml(path)
    try:
        Fields(content, "", ("base", *_KEYS))
        base = _find_base(content.pop("base", None), path)
        return _definition(content, path.stem if name is None else name, read_config_yaml(base))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def to_json(definition: Definition) -> str:
    """Return the definition as JSON, equal for equal definitions.

    Raises:
        ValueError: it holds something that JSON does not know.
    """
    document = as_document(definition)
    check_plain(document)
    return json.dumps(document, sort_keys=True)


def from_json(text: str) -> Definition:
    """Return the definition that `to_json` wrote.

    Raises:
        ValueError: the text is none, or another version wrote it.
    """
    document = json.loads(text)
    fields = Fields(document, "", ("name", "base_options", *_KEYS))
    name, base = fields.take("name"), fields.take("base_options")
    content = {key: value for key, value in document.items() if key in _KEYS}
    # pairs keep their order where the keys of an object are sorted
    try:
        content["space"] = dict(fields.take("space"))
    except TypeError as error:
        raise ValueError(f"space: wanted pairs of option and settings, got: {error}") from error
    if not isinstance(base, dict):
        raise ValueError(f"base_options: wanted a group of options, got {base!r}")
    return _definition(content, name, base)


def as_document(definition: Definition) -> dict[str, Any]:
    """Return the definition in the words of a study file, ready for JSON."""
    space = [[dimension.option, dimension.as_settings()] for dimension in definition.space]
    sampler, pruner = asdict(definition.sampler), asdict(definition.pruner)
    curves = None if definition.curves is None else asdict(definition.curves)
    return {
        "name": definition.name,
        "base_options": definition.base_options,
        "overrides": definition.overrides,
        "budget": {"steps": definition.steps},
        "objective": {"metric": definition.metric, "direction": definition.direction},
        "seed": definition.seed,
        "space": space,
        "sampler": {key: sampler[key] for key in ("kind", *SAMPLERS[definition.sampler.kind])},
        "pruner": {key: pruner[key] for key in ("kind", *PRUNERS[definition.pruner.kind])},
        "stopping": asdict(definition.stopping),
        "limits": asdict(definition.limits),
        "curves": curves if curves is None else {**curves, "y": list(curves["y"])},
    }


def _definition(content: Mapping[str, Any], name: Any, base: dict[str, Any]) -> Definition:
    file = Fields(content, "", _KEYS)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(
            f"--name: wanted at most 100 letters, digits, '.', '_', '-', and no '.' first, "
            f"got {name!r}"
        )
    budget = Fields(file.take("budget"), "budget", ("steps",))
    steps = budget.integer("steps", 1)
    objective = Fields(file.take("objective"), "objective", ("metric", "direction"))
    space = _space(file.take("space"))
    sampler = read_sampler(file.take("sampler", {"kind": "random"}), space)
    return Definition(
        name=name,
        overrides=_overrides(file.take("overrides", {}), space),
        steps=steps,
        metric=_metric(objective.take("metric"), objective.path("metric")),
        direction=cast(Any, objective.choice("direction", ("maximize", "minimize"))),
        seed=_seed(file),
        space=space,
        sampler=sampler,
        pruner=read_pruner(file.take("pruner", {"kind": "none"}), steps),
        stopping=read_stopping(file.take("stopping", None), sampler, space),
        limits=read_limits(file.take("limits", {})),
        curves=read_curves(file.take("curves", None), space),
        base_options=base,
    )


def _find_base(base: Any, path: Path) -> Path:
    if not isinstance(base, str) or not base:
        raise ValueError(f"base: wanted a config file, got {base!r}")
    places = [Path(), path.parent, path.parent.parent]
    try:
        found = [place / base for place in places if (place / base).is_file()]
    except OSError as error:  # the name is too long, or the folder closed
        raise ValueError(
            f"base: wanted a config file, got {base[:100]!r}: {error.strerror}"
        ) from error
    if not found:
        looked = ", ".join(str((place / base).absolute()) for place in places)
        raise ValueError(f"base: wanted a config file, got {base!r}; looked for {looked}")
    return found[0]


def _seed(file: Fields) -> int:
    seed = file.integer("seed", 0)
    if seed >= 2**32:
        raise ValueError(f"seed: wanted a number below {2**32}, got {seed}")
    return int(seed)


def _metric(value: Any, name: str) -> str:
    if not isinstance(value, str) or "/" not in value.strip("/"):
        raise ValueError(f"{name}: wanted a figure such as tune/matched_words, got {value!r}")
    return value


def _check_option(option: Any, name: str) -> None:
    if not isinstance(option, str) or not _OPTION.fullmatch(option):
        raise ValueError(f"{name}: wanted a dotted option of the run, got {option!r}")
    if option in _OWNED:
        raise ValueError(f"{name}: wanted an option that the sweep leaves open; {_OWNED[option]}")


def _space(content: Any) -> tuple[Dimension, ...]:
    if not isinstance(content, Mapping) or not content:
        raise ValueError(f"space: wanted at least one option of the run, got {content!r}")
    for option in content:
        _check_option(option, f"space.{option}")
    space = tuple(make_dimension(option, settings) for option, settings in content.items())
    without = [dimension.option for dimension in space if dimension.published is None]
    if without and len(without) < len(space):
        raise ValueError(
            f"space.{without[0]}.published: wanted a value for every option or for none, got none"
        )
    return space


def _overrides(content: Any, space: tuple[Dimension, ...]) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise ValueError(f"overrides: wanted a group of options, got {content!r}")
    varied = {dimension.option for dimension in space}
    for option, value in content.items():
        name = f"overrides.{option}"
        _check_option(option, name)
        if isinstance(value, Mapping):
            inner = next(iter(value), "name")
            raise ValueError(f"{name}: wanted dotted options ({option}.{inner}: ...), got a group")
        for single in value if isinstance(value, list) else [value]:
            refuse_pointless(single, name)
        if option in varied:
            raise ValueError(f"{name}: wanted an option that space leaves alone, got one in both")
    return dict(content)
