"""Reads a YAML file of options, once for every key, into values that JSON can hold.

A study is kept as JSON in the storage, so a file may hold nothing that JSON changes or loses.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

_SHOWN = 40  # letters of a value
_MOST_VALUES = 100_000


class _Loader(yaml.SafeLoader):
    """Reads what looks like a date as the text it is."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return a node's value; for one that its tag does not fit the line is in the error."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            kind, text = node.tag.rpartition(":")[2], str(node.value)[:_SHOWN]
            raise ConstructorError(
                problem=f"{text!r}, which is no {kind}", problem_mark=node.start_mark
            ) from error


class _ConfigLoader(_Loader):
    """Reads 1e-6 as the number it is, like the parser of the run's configs."""


_Loader.yaml_implicit_resolvers = {
    letter: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_ConfigLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_study_yaml(path: Path) -> dict[str, Any]:
    """Return the content of a study file.

    Raises:
        ValueError: names the file, and the line where there is one.
    """
    return _read(path, _Loader)


def read_config_yaml(path: Path) -> dict[str, Any]:
    """Return the content of a run's config, values as the run itself reads them.

    Raises:
        ValueError: names the file, and the line where there is one.
    """
    return _read(path, _ConfigLoader)


def check_plain(value: Any, name: str = "") -> None:
    """Refuse what would not come back from JSON as it was.

    Args:
        value: of YAML.
        name: dotted name of the value; empty for a whole file.

    Raises:
        ValueError: a date, a set, a NaN, a key that is no text.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{name}.{key}" if name else str(key)
            if not isinstance(key, str):
                raise ValueError(f"{path}: wanted a name that is a text, got {key!r}")
            check_plain(inner, path)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            check_plain(inner, f"{name}[{place}]")
    elif value is not None and not isinstance(value, bool | int | float | str):
        raise ValueError(f"{name}: wanted a number, text, list or group, got {value!r}")
    elif isinstance(value, float) and math.isnan(value):
        raise ValueError(f"{name}: wanted a number, got nan")


def _read(path: Path, kind: type[yaml.SafeLoader]) -> dict[str, Any]:
    try:
        loader = kind(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: wanted a readable YAML file, got: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: wanted UTF-8 text, got {error}") from error
    except yaml.YAMLError as error:  # characters that no YAML file may hold
        raise ValueError(f"{path}: wanted YAML, got: {error}") from error
    try:
        return _mapping(path, loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{path}, line {line}: wanted YAML, got: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: wanted YAML, got: {error}") from error
    except RecursionError as error:
        raise ValueError(f"{path}: wanted a YAML file of options, got one too deep") from error
    finally:
        loader.dispose()


def _mapping(path: Path, loader: yaml.SafeLoader) -> dict[str, Any]:
    node = loader.get_single_node()
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{path}: wanted a YAML file of options, got something else")
    _refuse_flood(path, node)
    for line, key in _repeated(node):
        raise ValueError(f"{path}, line {line}: wanted every option once, got {key} again")
    content = dict(loader.construct_document(node))
    try:
        check_plain(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return content


def _refuse_flood(path: Path, node: yaml.Node) -> None:
    """Refuse a few lines of aliases that stand for more values than fit into memory."""
    left, seen = [node], 0
    while left:
        seen += 1
        if seen > _MOST_VALUES:
            raise ValueError(f"{path}: wanted at most {_MOST_VALUES} values, got aliases for more")
        value = left.pop().value  # text, nodes, or pairs of nodes
        for inner in () if isinstance(value, str) else value:
            left.extend(inner if isinstance(inner, tuple) else [inner])


def _repeated(node: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    seen = set()
    for key, value in node.value:
        if isinstance(key.value, str):
            if key.value in seen:
                yield key.start_mark.line + 1, key.value
            seen.add(key.value)
        if isinstance(value, yaml.MappingNode):
            yield from _repeated(value)
