"""Checks that the options of all cases share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rrnn_lit.data.prepared import PreparedData


def check_at_least(options: Any, least: Mapping[str, int]) -> None:
    """Raise ValueError for the first option below its least value."""
    for name, lowest in least.items():
        value = getattr(options, name)
        if value < lowest:
            raise ValueError(f"--{name}: wanted a number of at least {lowest}, got {value}")


def check_device(name: str) -> torch.device:
    """Return the device `cpu` or `cuda`.

    Raises:
        ValueError: another name, or there is no CUDA device.
    """
    if name not in ("cpu", "cuda"):
        raise ValueError(f"--device: wanted cpu or cuda, got {name!r}")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device: wanted cuda, but torch finds no CUDA device here")
    return torch.device(name)


def open_prepared(folder: str) -> PreparedData:
    """Return a prepared folder without comparing its digests.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    try:
        return PreparedData(Path(folder), verify=False)
    except ValueError as error:
        raise ValueError(f"--folder: {error}") from error


def is_chosen(peer: str, peers: str) -> bool:
    """Return whether a peer takes part.

    Args:
        peer: its name; ours always takes part.
        peers: parts of names with commas between; empty for all.
    """
    parts = [part.strip() for part in peers.split(",") if part.strip()]
    return peer == "ours" or not parts or any(part in peer for part in parts)
