"""Median times of peers that take turns in one process.

The machine may be shared and change its speed by the second. So no peer is timed in one go: every
round runs each peer once, and each round starts with another peer. Peak memory is not measured.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping

import torch

DEFAULT_REPEATS = 11


def time_peers(
    peers: Mapping[str, Callable[[int], object]],
    repeats: int = DEFAULT_REPEATS,
    device: torch.device | None = None,
) -> dict[str, float]:
    """Return the median seconds of each peer.

    Args:
        peers: name -> call; it gets the number of the round, by which it picks its inputs, so
            that no peer finds them in the cache. One untimed call each comes first, with round 0.
        repeats: number of rounds, at least 1.
        device: a CUDA device is waited for before and after each call; None means the CPU.
    """
    names = list(peers)
    for name in names:
        peers[name](0)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    collects = gc.isenabled()
    gc.disable()
    try:
        for round_number in range(repeats):
            first = round_number % max(1, len(names))
            for name in names[first:] + names[:first]:
                seconds[name].append(_seconds_of(peers[name], round_number, device))
    finally:
        if collects:
            gc.enable()
    return {name: statistics.median(seconds[name]) for name in names}


def _seconds_of(
    call: Callable[[int], object], round_number: int, device: torch.device | None
) -> float:
    waits = device is not None and device.type == "cuda"
    if waits:
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    call(round_number)
    if waits:
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
