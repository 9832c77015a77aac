"""What is wrong with a YAML file of options before anybody looks at the options.

The parser behind it takes the last of two equal keys and does not name the file it cannot read.
Nothing here makes an object or imports a module: nodes of YAML are looked at.
"""

from collections.abc import Iterator
from pathlib import Path

import yaml

from rrnn_lit.complaints import UnsafeError
from rrnn_lit.data.config_imports import refusal, refused_keys

_NAMES = ("--config", "-c")
_MOST_VALUES = 100_000  # a few lines of aliases can stand for more than fits into memory
_MOST_DIGITS = 300  # more are no number of any option, and beyond what a float can hold
_STANDARD = "tag:yaml.org,2002:"
_FOREIGN = f"{_STANDARD}python"
_NAMES_OF_OPTIONS = (f"{_STANDARD}str", f"{_STANDARD}merge")


def check_config_files(arguments: list[str]) -> bool:
    """Return whether there are files given with `--config`: readable mappings, no key twice.

    Args:
        arguments: of a command line; its own values are looked at as well.

    Raises:
        UnsafeError: a tag that makes an object, or the name of a class that no config may import.
        ValueError: names the file, and the line where there is one.
    """
    _refuse_endless(arguments)
    paths = list(_given(arguments))
    for path in paths:
        node = _read(path)
        if not isinstance(node, yaml.MappingNode):
            raise ValueError(f"--config {path}: wanted a YAML file of options, got something else")
        _refuse_flood(path, node)
        for inner in _nodes(node):
            _refuse_objects(path, inner)
            _refuse_odd(path, inner)
            for line, key in _repeated(inner):
                raise ValueError(
                    f"--config {path}, line {line}: wanted every option once, got {key} again"
                )
    return bool(paths)


def last_value(arguments: list[str], key: str) -> str | None:
    """Return what a key at the top of the options is, as the last config file or `--KEY` says.

    None if nobody says it. Files that cannot be read are passed over: `check_config_files`
    complains of them.
    """
    value = None
    for place, argument in enumerate(arguments):
        option, equals, rest = argument.partition("=")
        following = rest if equals else next(iter(arguments[place + 1 :]), None)
        if option == f"--{key}":
            value = following
        elif option in _NAMES and following is not None:
            value = _top_value(Path(following), key) or value
    return value


def _top_value(path: Path, key: str) -> str | None:
    try:
        node = _read(path)
    except ValueError:
        return None
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    values = [value.value for name, value in pairs if name.value == key]
    return str(values[-1]) if values else None


def _given(arguments: list[str]) -> Iterator[Path]:
    for place, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option in _NAMES and equals:
            yield Path(value)
        elif option in _NAMES and place + 1 < len(arguments):
            yield Path(arguments[place + 1])


def _read(path: Path) -> yaml.Node | None:
    if not path.is_file():
        raise ValueError(f"--config: wanted a file, got {str(path)!r}")
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise ValueError(f"--config {path}: wanted UTF-8 text, got {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(
            f"--config {path}, line {line}: wanted YAML, got: {error.problem}"
        ) from error
    except yaml.YAMLError as error:  # characters that no YAML file may hold
        raise ValueError(f"--config {path}: wanted YAML, got: {error}") from error
    except RecursionError as error:
        raise ValueError(f"--config {path}: wanted options, got groups too deep") from error


def _refuse_flood(path: Path, node: yaml.Node) -> None:
    left, seen = [node], 0
    while left:
        seen += 1
        if seen > _MOST_VALUES:
            raise ValueError(
                f"--config {path}: wanted at most {_MOST_VALUES} values, got aliases for more"
            )
        left += _children(left.pop())


def _nodes(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield a node and what is in it, each once, in the order of the file."""
    left, seen = [node], set()
    while left:
        inner = left.pop()
        if id(inner) not in seen:
            seen.add(id(inner))
            yield inner
            left += reversed(_children(inner))


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _refuse_objects(path: Path, node: yaml.Node) -> None:
    """Refuse what makes an object where options are wanted, before it is made."""
    place = f"--config {path}, line {node.start_mark.line + 1}"
    if node.tag.startswith(_FOREIGN) or not node.tag.startswith(_STANDARD):
        raise UnsafeError(f"{place}: a config holds plain values only, got the tag {node.tag}")
    for key, value in node.value if isinstance(node, yaml.MappingNode) else []:
        for name in refused_keys(str(key.value), value.value):
            raise refusal(name, f"--config {path}, line {value.start_mark.line + 1}")


def _refuse_endless(arguments: list[str]) -> None:
    option = "options"
    for argument in arguments:
        name, _, value = argument.rpartition("=")
        option = name or (argument if argument.startswith("--") else option)
        if value.isdigit() and len(value) > _MOST_DIGITS:
            raise ValueError(
                f"{option}: wanted a number of at most {_MOST_DIGITS} digits, got {len(value)}"
            )


def _refuse_odd(path: Path, node: yaml.Node) -> None:
    """Refuse what would end in an error without a place: odd names, numbers without end."""
    place = f"--config {path}, line {node.start_mark.line + 1}"
    if node.tag == f"{_STANDARD}int" and len(node.value) > _MOST_DIGITS:
        raise ValueError(
            f"{place}: wanted a number of at most {_MOST_DIGITS} digits, got {len(node.value)}"
        )
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else []:
        if not isinstance(key, yaml.ScalarNode):
            raise ValueError(f"{place}: wanted the name of an option, got a group or a list")
        if key.tag not in _NAMES_OF_OPTIONS:
            line = key.start_mark.line + 1
            raise ValueError(
                f"--config {path}, line {line}: wanted the name of an option, got {key.value}"
            )
    if isinstance(node, yaml.ScalarNode):
        try:
            yaml.SafeLoader("").construct_object(node)
        except Exception as error:  # of a tag that does not fit: any kind
            kind = node.tag.removeprefix(_STANDARD)
            raise ValueError(
                f"{place}: wanted a value of type {kind}, got {node.value!r}"
            ) from error


def _repeated(node: yaml.Node) -> Iterator[tuple[int, str]]:
    seen = set()
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else []:
        if isinstance(key.value, str):
            if key.value in seen:
                yield key.start_mark.line + 1, key.value
            seen.add(key.value)
