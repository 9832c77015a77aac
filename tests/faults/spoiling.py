"""Ways to spoil files: bytes of any, and places in the values of JSON and YAML."""

import copy
import json
import math
import random
from collections.abc import Callable
from typing import Any, TypeVar

import yaml
from hypothesis import strategies as st

_Value = TypeVar("_Value")
# (what, where as a share of the file, bytes): places move with the size of the file
Edit = tuple[str, float, bytes]
EDIT: st.SearchStrategy[Edit] = st.tuples(
    st.sampled_from(("flip", "set", "insert", "cut", "append", "zero", "remove")),
    st.floats(0, 1, exclude_max=True),
    st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from((b"\0" * 64, b"\n", b"9", b" "))),
)
EDITS = st.lists(EDIT, min_size=1, max_size=4)
SEEDS = st.integers(0, 2**48)

_DEEP = "athousandlists"  # stands for them until the values are written: nothing can copy them
_HUGE = (10**9, 2**31, 2**63, 2**64, 10**30, 10**400)
_NUMBERS = (0, 1, -1, 2, 0.5, -0.0, 1e308, 1e-320, math.inf, -math.inf, math.nan)
_TEXTS = (
    "",
    " ",
    "abc",
    "1",
    "null",
    "../..",
    "/",
    "\0",
    "\n",
    "\u00e9" * 300,
    "a" * 5_000,
    "1e-6",
)


def attempt(read: Callable[[], _Value]) -> tuple[_Value | None, str]:
    """Return what was read and no text, or nothing and the text of the refusal."""
    try:
        return read(), ""
    except ValueError as error:
        return None, str(error) or repr(error)


def spoil(content: bytes, edits: list[Edit]) -> bytes:
    """Return the content after these edits."""
    new = bytearray(content)
    for what, share, given in edits:
        place = int(share * len(new))
        if what == "append":
            new += given
        elif what == "cut":
            del new[place:]
        elif what == "insert":
            new[place:place] = given
        elif what == "remove":
            del new[place : place + len(given)]
        elif what == "zero":
            new[place : place + 64] = bytes(len(new[place : place + 64]))
        elif what == "set":
            new[place : place + len(given)] = given[: len(new) - place]
        elif new:
            new[place] ^= 1 << given[0] % 8
    return bytes(new)


def spoil_tree(tree: Any, seed: int) -> Any:
    """Return plain values with one to three odd places; the same seed gives the same ones."""
    dice = random.Random(seed)
    tree = copy.deepcopy(tree)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        tree = _spoil_once(tree, dice)
    return tree


def _spoil_once(tree: Any, dice: random.Random) -> Any:
    places = [place for place in _places(tree) if place]
    if not places or dice.random() < 0.02:
        return odd_value(tree, dice)
    *path, last = dice.choice(places)
    holder = tree
    for key in path:
        holder = holder[key]
    what = dice.choice(("value", "value", "value", "remove", "rename", "add", "swap"))
    if what == "remove":
        del holder[last]
    elif what == "rename" and isinstance(holder, dict):
        holder[dice.choice((f"{last}x", str(last).upper(), "", f" {last}"))] = holder.pop(last)
    elif what == "add" and isinstance(holder, dict):
        holder[dice.choice(("zzz", "class_path", "", "__class__"))] = odd_value(None, dice)
    elif what == "swap":
        *other_path, other = dice.choice(places)
        other_holder = tree
        for key in other_path:
            other_holder = other_holder[key]
        holder[last] = copy.deepcopy(other_holder[other])
    else:
        holder[last] = odd_value(holder[last], dice)
    return tree


def odd_value(old: Any, dice: random.Random) -> Any:
    """Return something that was not meant to stand where `old` does."""
    if dice.random() < 0.02:
        return _DEEP
    choices: list[Any] = [None, True, False, [], {}, [old], {"a": old}, str(old), [[]], {"": 1}]
    if isinstance(old, int | float) and not isinstance(old, bool) and dice.random() < 0.6:
        choices = [
            *_NUMBERS,
            *_HUGE,
            -old,
            old + 1,
            old * 2,
            old + 0.5 if old < 1e9 else old,
            -(10**30),
        ]
    return dice.choice([*choices, dice.choice(_TEXTS), dice.choice(_NUMBERS), dice.choice(_HUGE)])


def deep_json() -> bytes:
    """Return what no recursive reader gets to the bottom of."""
    return b"[" * 100_000


def json_bytes(tree: Any) -> bytes:
    """Return JSON, inf and NaN in the way Python writes and reads them."""
    return _deepened(json.dumps(tree).replace(f'"{_DEEP}"', _DEEP))


def yaml_bytes(tree: Any) -> bytes:
    """Return YAML, keys in their order."""
    return _deepened(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False))


def _deepened(text: str) -> bytes:
    return text.replace(_DEEP, "[" * 1_000 + "]" * 1_000).encode()


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if len(path) > 30:
        return []
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    return [path, *(place for key, inner in items for place in _places(inner, (*path, key)))]
