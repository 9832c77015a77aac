"""Dotted names of a run's options, as on the command line, and the nested form of a YAML file."""

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rrnn_lit.search.study_file import Definition


def flatten(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"model": {"dropout": 0.5}}` as `{"model.dropout": 0.5}`; an empty group stays."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, Mapping) and value:
            flat.update({f"{name}.{rest}": leaf for rest, leaf in flatten(value).items()})
        else:
            flat[name] = value
    return flat


def nest(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"model.dropout": 0.5}` as `{"model": {"dropout": 0.5}}`.

    Raises:
        ValueError: one name is both an option and a group of options.
    """
    nested: dict[str, Any] = {}
    for name, value in options.items():
        *groups, last = name.split(".")
        inner = nested
        for group in groups:
            inner = inner.setdefault(group, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{name}: wanted a group {group}, got an option of that name")
        if last in inner:
            raise ValueError(f"{name}: wanted every option once, got it again")
        inner[last] = value
    return nested


def check_options(definition: "Definition", known: Mapping[str, Any]) -> None:
    """Refuse a study that sets options which a run does not have.

    Args:
        definition: the study.
        known: every option of a run with its value, by dotted name.

    Raises:
        ValueError: names the first such option and the nearest one that exists.
    """
    named = [("overrides", option) for option in definition.overrides]
    named += [("space", dimension.option) for dimension in definition.space]
    for section, option in named:
        if option not in known:
            raise ValueError(
                f"{section}.{option}: wanted an option of the run, got {option!r}"
                f"{did_you_mean(option, known)}"
            )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the known name most like this one, or nothing."""
    names, last = list(known), _last(name)
    # a wrong or missing group, then initials (`lr`), then a slip of the keyboard
    found = [other for other in names if _last(other) == last]
    found = found or [other for other in names if _initials(_last(other)) == last]
    near = difflib.get_close_matches(name, found or names, n=1, cutoff=0.0 if found else 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _initials(name: str) -> str:
    return "".join(part[:1] for part in name.split("_"))
