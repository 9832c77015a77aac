"""What the types of the options leave open: groups, nulls, and numbers that no run can mean.

The parser takes null for any option that has a default, and a value in the place of a group.
Ranges that need nothing but the option itself and hold for a model are in `ranges.py`.
"""

import math
from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args, get_type_hints

import lightning.pytorch as pl

_LARGEST = 2**53  # whole numbers up to here are exact in every array
_LONGEST = 2**63 - 1  # a whole number of torch
_MOST_PROCESSES = 1_024  # of one machine
# option -> smallest and largest number; what else the option may be is not looked at, and the
# smallest numbers of the data are their class's business
_LIMITS: Mapping[str, tuple[float, float]] = {
    "trainer.devices": (-1, _MOST_PROCESSES),
    "trainer.gradient_clip_val": (0, 1e30),
    "trainer.num_sanity_val_steps": (-1, _LARGEST),
    "loss_scale.init": (1e-30, 1e30),
    "loss_scale.growth_interval": (1, 2**31 - 1),
    "stopping.min_relative_gain": (0, 1e30),
    "data.max_words": (-math.inf, 10_000),  # as in a bundle
    "data.blank_every": (-math.inf, _LARGEST),
    "data.batch_size": (-math.inf, _LARGEST),
    "data.eval_batch_size": (-math.inf, _LARGEST),
    "data.num_workers": (-math.inf, _MOST_PROCESSES),
}


def check_values(options: Mapping[str, Any], classes: Mapping[str, type]) -> None:
    """Return if every group is one, null stands only where it may, and numbers have a meaning.

    Args:
        options: of a run, by group.
        classes: group -> class whose arguments the group's options are.

    Raises:
        ValueError: names the option, what was wanted and what was got.
    """
    for group, kind in {"trainer": pl.Trainer, **classes}.items():
        given = options[group]
        if not hasattr(given, "items"):
            raise ValueError(f"{group}: wanted a group of options, got {given!r}")
        hints = get_type_hints(kind.__init__)  # type: ignore[misc]  # no subclass comes here
        for name, value in given.items():
            if value is None and NoneType not in get_args(hints.get(name, NoneType | int)):
                raise ValueError(f"{group}.{name}: wanted a value, got null")
            _check_number(f"{group}.{name}", value)


def _check_number(name: str, value: Any) -> None:
    if isinstance(value, str) and value.isdecimal():  # as the parser leaves trainer.devices
        value = int(value)
    if name not in _LIMITS and type(value) is int and abs(value) > _LONGEST:
        raise ValueError(f"{name}: wanted at most {_LONGEST}, got a number of another size")
    if name not in _LIMITS or isinstance(value, bool) or not isinstance(value, int | float):
        return
    low, high = _LIMITS[name]
    if value != value or value < low:
        raise ValueError(f"{name}: wanted at least {low:g}, got {value}")
    if value > high:
        raise ValueError(f"{name}: wanted at most {high:g}, got {value}")
