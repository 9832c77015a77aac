"""Tensors that claim more than their file holds, or other shapes than the model has.

A tensor of a few bytes on disk can claim any size, with a stride of 0 for example: all is well
until somebody copies it. What is looked at here is only what a tensor says about itself.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rrnn_lit.complaints import UnsafeError


def refuse_inflated(path: Path, content: Any) -> None:
    """Raise UnsafeError for a tensor that claims more elements than its bytes hold.

    Args:
        path: of the file, for the message.
        content: tensors and plain values, nested.
    """
    for tensor in _tensors(content):
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise UnsafeError(f"{path}: wanted plain tensors, got {tensor.layout}")
        if tensor.nbytes > tensor.untyped_storage().nbytes():
            raise UnsafeError(
                f"{path}: wanted tensors as large as their bytes, got the shape "
                f"{list(tensor.shape)} in {tensor.untyped_storage().nbytes()} bytes"
            )


def _tensors(content: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested values; a list may even hold itself."""
    left, seen = [content], set()
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping):
            left += [part for pair in value.items() for part in pair]
        elif isinstance(value, list | tuple | set | frozenset):
            left += value


def check_shapes(found: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> None:
    """Raise ValueError for the first weight of another name or shape than the model's.

    To be called before anything is copied.

    Args:
        found: weights of a checkpoint by name.
        wanted: those of the model that is to take them.
    """
    for name in sorted(found.keys() | wanted.keys()):
        want, got = (_shape(weights.get(name)) for weights in (wanted, found))
        if want != got:
            raise ValueError(f"ckpt_path: wanted {name} of shape {want}, got {got}")


def _shape(weight: Any) -> str:
    return str(list(weight.shape)) if isinstance(weight, Tensor) else "none"
