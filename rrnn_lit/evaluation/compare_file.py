"""The file of a comparison: one config, one budget, and variants that differ in named options.

    base: configs/news_small.yaml      # a config of `rrnn fit`
    overrides: {model.hidden_size: 256}    # of all variants
    budget: {steps: 2500, seconds: null}   # of each; what is used up first ends a training
    variants:
      gru: {label: GRU, group: baseline, options: {model.cell: gru}}

The first variant is the one that the others are measured against.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from rrnn_lit.data.config_files import check_config_files

Group = Literal["baseline", "ablation"]
_KEYS = ("base", "overrides", "budget", "variants")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_OPTION = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)*")
# options that the comparison sets -> where it is said instead
_OWNED = {
    "trainer.max_steps": "it is budget.steps",
    "trainer.max_time": "it is budget.seconds",
    "trainer.enable_progress_bar": "the comparison shows the progress",
    "run.folder": "every variant has a folder of its own",
    "run.if_exists": "a variant goes on in its folder",
}


@dataclass(frozen=True)
class Variant:
    """A training of the comparison.

    Attributes:
        name: of its folder.
        label: for people.
        group: `baseline`: another network; `ablation`: the same without or with something.
        options: the whole config, nested.
    """

    name: str
    label: str
    group: Group
    options: dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """What a file describes.

    Attributes:
        name: of the file, without its ending.
        steps: budget of each variant.
        seconds: wall time of each training, evaluations included; None for no limit.
        variants: in the order of the file.
    """

    name: str
    steps: int
    seconds: float | None
    variants: tuple[Variant, ...]


def read_comparison(path: Path, more: Mapping[str, Any]) -> Comparison:
    """Return the comparison that a file describes.

    Args:
        path: the file; its `base` is looked for from the working directory, the file's folder
            and the one above.
        more: dotted options of the command line, of all variants.

    Raises:
        ValueError: names the file and the key.
    """
    content = _read_yaml(path, "FILE")
    try:
        _want_keys(content, "", _KEYS, optional=("overrides",))
        base = _read_yaml(_find_base(str(content["base"]), path), "base")
        steps, seconds = _read_budget(content["budget"])
        shared = {
            **_read_options(content.get("overrides") or {}, "overrides"),
            **more,
            "trainer.max_steps": steps,
            "trainer.max_time": None if seconds is None else {"seconds": seconds},
            "trainer.enable_progress_bar": False,
        }
        variants = _mapping(content["variants"], "variants")
        if not variants:
            raise ValueError("variants: wanted at least one, got none")
        read = [_read_variant(name, given, base, shared) for name, given in variants.items()]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return Comparison(path.stem, steps, seconds, tuple(read))


def _read_yaml(path: Path, name: str) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{name}: wanted a YAML file, got {str(path)!r}")
    check_config_files(["--config", str(path)])
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValueError, TypeError) as error:  # a value that its tag does not fit
        raise ValueError(f"{path}: wanted YAML, got: {error}") from error


def _find_base(base: str, path: Path) -> Path:
    places = [Path(base), path.parent / base, path.parent.parent / base]
    return next((place for place in places if place.is_file()), places[0])


def _read_budget(content: Any) -> tuple[int, float | None]:
    budget = _mapping(content, "budget")
    _want_keys(budget, "budget.", ("steps", "seconds"), optional=("seconds",))
    steps, seconds = budget["steps"], budget.get("seconds")
    if type(steps) is not int or steps < 1:
        raise ValueError(f"budget.steps: wanted a whole number of at least 1, got {steps!r}")
    if seconds is not None and (type(seconds) not in (int, float) or seconds <= 0):
        raise ValueError(f"budget.seconds: wanted seconds above 0 or null, got {seconds!r}")
    return steps, seconds


def _read_variant(
    name: Any, content: Any, base: dict[str, Any], shared: Mapping[str, Any]
) -> Variant:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"variants: wanted names of letters, digits, '.', '_' and '-', got {name!r}"
        )
    place = f"variants.{name}"
    given = _mapping(content, place)
    _want_keys(given, f"{place}.", ("label", "group", "options"), optional=("label", "options"))
    group, label = given["group"], given.get("label", name)
    if group not in get_args(Group):
        raise ValueError(f"{place}.group: wanted {' or '.join(get_args(Group))}, got {group!r}")
    if not isinstance(label, str) or not label.isprintable() or "|" in label:
        raise ValueError(f"{place}.label: wanted one line of text without |, got {label!r}")
    options = _read_options(given.get("options") or {}, f"{place}.options")
    return Variant(name, label, group, _with_options(base, {**shared, **options}))


def _read_options(content: Any, place: str) -> dict[str, Any]:
    options = _mapping(content, place)
    for name in options:
        if not isinstance(name, str) or not _OPTION.fullmatch(name):
            raise ValueError(f"{place}: wanted dotted options, got {name!r}")
        if name in _OWNED:
            raise ValueError(f"{place}.{name}: not to be set here: {_OWNED[name]}")
    return options


def _with_options(base: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a nested config in which dotted options have other values."""
    config = deepcopy(base)
    for name, value in options.items():
        *groups, last = name.split(".")
        place = config
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise ValueError(
                    f"{name}: wanted an option of the base config, got one of a value"
                )
        place[last] = value
    return config


def _mapping(content: Any, place: str) -> dict[Any, Any]:
    if not isinstance(content, dict):
        raise ValueError(f"{place}: wanted names with values, got {content!r}")
    return content


def _want_keys(
    content: dict[str, Any], prefix: str, known: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    for key in content:
        if key not in known:
            raise ValueError(f"{prefix}{key}: wanted one of {', '.join(known)}")
    for key in known:
        if key not in content and key not in optional:
            raise ValueError(f"{prefix}{key}: wanted a value, got none")
