"""Checks that the options of all cases share."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.token_store import TokenStore

_LARGEST = 2**63 - 1  # what numpy and torch can count and seed with


def check_at_least(options: Any, least: Mapping[str, int]) -> None:
    """Raise ValueError for the first option below its least value or beyond 64 bits."""
    for name, lowest in least.items():
        value = getattr(options, name)
        if value < lowest:
            raise ValueError(f"--{name}: wanted a number of at least {lowest}, got {value}")
        if value > _LARGEST:
            raise ValueError(
                f"--{name}: wanted a number of at most {_LARGEST} (2^63 - 1), got {value}"
            )


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
    with _blamed_on_folder():
        return PreparedData(Path(folder), verify=False)


def open_training_text(folder: str) -> TokenStore:
    """Return the training sentences of a prepared folder.

    Raises:
        ValueError: there are none, or they are damaged.
    """
    prepared = open_prepared(folder)
    with _blamed_on_folder():
        return prepared.store("train")


@contextmanager
def _blamed_on_folder() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise ValueError(f"--folder: {error}") from error


def is_chosen(peer: str, peers: str) -> bool:
    """Return whether a peer takes part.

    Args:
        peer: its name; ours always takes part.
        peers: parts of names with commas between; empty for all.
    """
    parts = _parts(peers)
    return peer == "ours" or not parts or any(part in peer for part in parts)


def check_peers(peers: str, known: Iterable[str]) -> None:
    """Raise ValueError for the first part that is in no known name.

    Args:
        peers: as `is_chosen` takes it.
        known: names of all peers, ours included.
    """
    names = list(known)
    for part in _parts(peers):
        if not any(part in name for name in names):
            raise ValueError(f"--peers: wanted parts of {', '.join(names)}; got {part!r}")


def _parts(peers: str) -> list[str]:
    return [part.strip() for part in peers.split(",") if part.strip()]
