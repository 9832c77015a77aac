"""Takes typed values out of a mapping and says by dotted name what is wrong with one."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rrnn_lit.search.options import did_you_mean

_MISSING = object()
_POINTLESS = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


class Fields:
    """The values of one mapping, by key.

    Args:
        content: the mapping as read from YAML or JSON.
        name: its dotted name, empty for the whole file.
        keys: those it may have.

    Raises:
        ValueError: `content` is no mapping, or has another key.
    """

    def __init__(self, content: Any, name: str, keys: Sequence[str]) -> None:
        if not isinstance(content, Mapping):
            raise ValueError(f"{name}: wanted a group of options, got {content!r}")
        self._content = content
        self._name = name
        for key in content:
            if key not in keys:
                near = did_you_mean(str(key), keys)
                raise ValueError(
                    f"{self.path(key)}: wanted one of {', '.join(keys)}, got {key!r}{near}"
                )

    def path(self, key: str) -> str:
        """Return the dotted name of a key."""
        return f"{self._name}.{key}" if self._name else str(key)

    def take(self, key: str, default: Any = _MISSING) -> Any:
        """Return the value of a key.

        Raises:
            ValueError: it is missing and there is no default.
        """
        if key in self._content:
            return self._content[key]
        if default is _MISSING:
            raise ValueError(f"{self.path(key)}: wanted a value, got none")
        return default

    def number(self, key: str, default: Any = _MISSING) -> Any:
        """Return a finite number; None only where that is the default."""
        value = self.take(key, default)
        return None if value is None and default is None else number(value, self.path(key))

    def positive(self, key: str, default: Any = _MISSING) -> Any:
        """Return a number above 0; None only where that is the default."""
        value = self.number(key, default)
        if value is not None and value <= 0:
            raise ValueError(f"{self.path(key)}: wanted a number above 0, got {value}")
        return value

    def integer(self, key: str, least: int, default: Any = _MISSING) -> Any:
        """Return a whole number of at least `least`; None only where that is the default."""
        value = self.take(key, default)
        if value is None and default is None:
            return None
        value = integer(value, self.path(key))
        if value < least:
            raise ValueError(f"{self.path(key)}: wanted a number of at least {least}, got {value}")
        return value

    def choice(self, key: str, choices: Sequence[str], default: Any = _MISSING) -> str:
        """Return one of the texts in `choices`."""
        value = self.take(key, default)
        if not isinstance(value, str) or value not in choices:
            raise ValueError(
                f"{self.path(key)}: wanted one of {', '.join(choices)}, got {value!r}"
            )
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise ValueError(f"{self.path(key)}: wanted true or false, got {value!r}")
        return value


def number(value: Any, name: str) -> int | float:
    """Return a finite number; a text that only looks like one is refused with a hint."""
    refuse_pointless(value, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_finite(value):
        raise ValueError(f"{name}: wanted a finite number, got {value!r}")
    return value


def is_finite(value: int | float) -> bool:
    """Tell whether a double can hold the number."""
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of more than 308 digits
        return False


def integer(value: Any, name: str) -> int:
    """Return a whole number that a double holds exactly, as the study storage needs."""
    refuse_pointless(value, name)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**53:
        raise ValueError(f"{name}: wanted a whole number, got {value!r}")
    return value


def refuse_pointless(value: Any, name: str) -> None:
    """Refuse `1e-6`, which YAML reads as a text because there is no point in it."""
    if isinstance(value, str) and _POINTLESS.fullmatch(value):
        mantissa, exponent = re.split("[eE]", value)
        whole, _, rest = mantissa.partition(".")
        sign = "" if exponent[0] in "+-" else "+"
        raise ValueError(
            f"{name}: wanted a number, got the text {value!r}; "
            f"write {whole}.{rest or 0}e{sign}{exponent}"
        )
