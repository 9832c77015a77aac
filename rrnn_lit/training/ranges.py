"""Ranges of numeric options."""

import math
from collections.abc import Mapping
from typing import Any

# option -> smallest value, largest value, and whether these are allowed themselves
Ranges = Mapping[str, tuple[float, float, bool, bool]]

# of what both models are trained with
TRAINING_RANGES: Ranges = {
    "feed_forward_scale": (0, math.inf, False, False),
    "match_drop": (0, 1, True, True),
    "match_margin": (0, 2, True, True),
    "learning_rate": (0, math.inf, False, False),
    "decay": (0, 1, False, True),
    "l2": (0, math.inf, True, False),
    "beta1": (0, 1, True, False),
    "beta2": (0, 1, True, False),
    "eps": (0, math.inf, True, False),
}


def check_ranges(options: Mapping[str, Any], ranges: Ranges) -> None:
    """Raise ValueError for the first option of the group `model` outside its range."""
    for name, (low, high, with_low, with_high) in ranges.items():
        value = options[name]
        above = low <= value if with_low else low < value
        below = value <= high if with_high else value < high
        if not (above and below):
            lower = f"at least {low:g}" if with_low else f"more than {low:g}"
            upper = f"at most {high:g}" if with_high else f"less than {high:g}"
            raise ValueError(f"model.{name}: wanted {lower} and {upper}, got {value}")
