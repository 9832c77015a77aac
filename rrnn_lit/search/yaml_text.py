"""Puts options into the text of a YAML file: comments and order of the other lines stay."""

from collections.abc import Mapping
from typing import Any

import yaml

from rrnn_lit.search.options import flatten, nest


def put_options(text: str, options: Mapping[str, Any], mark: str) -> str:
    """Return the text with dotted options set; a changed line gets `# mark` as its comment.

    A file laid out so that its text cannot be edited is written anew, without its comments.

    Raises:
        ValueError: the text is no YAML mapping.
    """
    try:
        before = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"wanted YAML, got: {error}") from error
    if not isinstance(before, dict):
        raise ValueError(f"wanted a YAML file of options, got {type(before).__name__}")
    wanted = nest({**flatten(before), **options})
    edited = _edited(text, options, mark)
    try:
        if yaml.safe_load(edited) == wanted:
            return edited
    except yaml.YAMLError:
        pass
    return yaml.safe_dump(wanted, sort_keys=False)


def value_text(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")


def _edited(text: str, options: Mapping[str, Any], mark: str) -> str:
    root = yaml.compose(text, yaml.SafeLoader)
    edits, homeless = [], {}
    for option, value in options.items():
        node, rest = _deepest(root, option.split("."))
        if not rest:
            begin, end = node.start_mark.index, node.end_mark.index
            edits.append((begin, _line_end(text, end), f"{value_text(value)}  # {mark}"))
        elif isinstance(node, yaml.MappingNode) and node is not root and node.value:
            first = node.value[0][0].start_mark
            inner: Any = value
            for name in reversed(rest[1:]):
                inner = {name: inner}
            line = f"{rest[0]}: {value_text(inner)}  # {mark}\n{' ' * first.column}"
            edits.append((first.index, first.index, line))
        else:
            homeless[option] = value
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    if homeless:
        text = f"{text.rstrip()}\n# {mark}\n{yaml.safe_dump(nest(homeless), sort_keys=False)}"
    return text


def _deepest(node: Any, names: list[str]) -> tuple[Any, list[str]]:
    """Return the last node on the way to an option and the names that are missing behind it."""
    while names and isinstance(node, yaml.MappingNode):
        found = [value for key, value in node.value if key.value == names[0]]
        if not found:
            break
        node, names = found[0], names[1:]
    return node, names


def _line_end(text: str, place: int) -> int:
    """Return the end of the line if nothing but a comment follows, else `place`."""
    end = text.find("\n", place)
    end = len(text) if end < 0 else end
    rest = text[place:end].strip()
    return end if not rest or rest.startswith("#") else place
