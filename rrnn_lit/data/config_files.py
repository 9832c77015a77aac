"""What is wrong with a YAML file of options before anybody looks at the options.

The parser behind it takes the last of two equal keys and does not name the file it cannot read.
"""

from collections.abc import Iterator
from pathlib import Path

import yaml

_NAMES = ("--config", "-c")


def check_config_files(arguments: list[str]) -> bool:
    """Return whether there are files given with `--config`: readable mappings, no key twice.

    Raises:
        ValueError: names the file, and the line where there is one.
    """
    paths = list(_given(arguments))
    for path in paths:
        node = _read(path)
        if not isinstance(node, yaml.MappingNode):
            raise ValueError(f"--config {path}: wanted a YAML file of options, got something else")
        for line, key in _repeated(node):
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


def _repeated(node: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    seen = set()
    for key, value in node.value:
        if key.value in seen:
            yield key.start_mark.line + 1, key.value
        if isinstance(key.value, str):
            seen.add(key.value)
        if isinstance(value, yaml.MappingNode):
            yield from _repeated(value)
