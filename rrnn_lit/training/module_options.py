"""Ranges of the options of AutoencoderModule."""

from typing import Any


def check_options(options: dict[str, Any]) -> None:
    """Raise ValueError for the first option outside its range."""
    ranges = {
        "feed_forward_scale": (0.0, None),
        "recurrent_scale": (0.0, None),
        "match_drop": (0.0, 1.0),
        "match_margin": (0.0, 2.0),
        "learning_rate": (0.0, None),
        "decay": (0.0, 1.0),
        "l2": (0.0, None),
        "beta1": (0.0, 1.0),
        "beta2": (0.0, 1.0),
        "eps": (0.0, None),
    }
    for name, (low, high) in ranges.items():
        value = options[name]
        if not low <= value <= (float("inf") if high is None else high):
            upper = "" if high is None else f" and at most {high}"
            raise ValueError(f"model.{name}: wanted at least {low}{upper}, got {value}")
