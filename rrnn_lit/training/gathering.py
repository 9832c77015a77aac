"""What processes of a run tell each other, as bytes or tensors: torch's own way pickles."""

import json
import os
from typing import Any

import torch
from torch import Tensor, distributed


def is_one_of_several() -> bool:
    """Return whether this process can talk to others of its run."""
    return distributed.is_available() and distributed.is_initialized()


def gather_texts(text: bytes) -> list[bytes]:
    """Return the texts of all processes in their order; all processes must call it together."""
    if not is_one_of_several():
        return [text]
    is_on_gpu = "nccl" in distributed.get_backend()
    device = torch.device("cuda", torch.cuda.current_device()) if is_on_gpu else None
    lengths = _all(torch.tensor([len(text)], device=device))
    longest = max(1, *(int(length) for length in lengths))
    padded = torch.frombuffer(bytearray(text.ljust(longest)), dtype=torch.uint8).to(device)
    return [
        bytes(row.tolist())[: int(length)]
        for row, length in zip(_all(padded), lengths, strict=True)
    ]


def value_of(process: int, value: Any) -> Any:
    """Return the value that one process has; all processes must call it together.

    Args:
        process: its number.
        value: what JSON can say; others than that process may give anything. A path comes as text.

    Raises:
        TypeError: JSON cannot say it.
    """
    if not is_one_of_several():
        return value
    is_own = distributed.get_rank() == process
    text = json.dumps(value, default=os.fspath) if is_own else ""
    return json.loads(gather_texts(text.encode())[process])


def take_from_first(tensor: Tensor) -> None:
    """Fill a tensor with that of the first process; all processes must call it together."""
    if is_one_of_several():
        distributed.broadcast(tensor, src=0)


def _all(own: Tensor) -> list[Tensor]:
    found = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(found, own)
    return [tensor.cpu() for tensor in found]
