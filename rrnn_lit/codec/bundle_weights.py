"""Weights of a network in a safetensors file; what it declares is compared before it is read."""

import os
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from rrnn_lit.codec.bundle_layout import CONFIG_FILE, BundleError, reading

_Network = TypeVar("_Network", bound=nn.Module)
_DTYPES = {"F32": torch.float32, "I64": torch.int64, "BOOL": torch.bool}
_FEW = 1_000_000  # options that are no sizes, such as a number of examples, may exceed the weights
_LAYERS, _LEAST_OF_LAYER = "extra_layers", 400  # bytes: a layer's eight weights are listed by name


def write_weights(network: nn.Module, path: Path) -> None:
    """Write all weights as they are.

    Raises:
        BundleError: a weight is not fp32, inf or NaN.
        OSError: the file cannot be written.
    """
    tensors = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise BundleError(f"{path}: wanted fp32 weights, got {tensor.dtype} in {name}")
        if not bool(torch.isfinite(tensor).all()):
            raise BundleError(f"{path}: wanted finite weights, got inf or NaN in {name}")
    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:  # a full disk, for example
        raise OSError(f"{path}: the weights could not be written: {error}") from error
    _give_common_rights(path)


def _give_common_rights(path: Path) -> None:
    """Let others read the file as any new one; safetensors keeps it to its owner."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def read_weights(
    path: Path, build: Callable[[Mapping[str, Any]], _Network], options: Mapping[str, Any]
) -> _Network:
    """Return the network of these options with the file's weights, as `CodecParts` wants it.

    Args:
        path: of the weights; its digest is verified.
        build: makes the network.
        options: of the network, out of `config.json`: they may lie.

    Raises:
        BundleError: the options build no network, names, shapes or dtypes of the weights are
            others than the network's, or a weight is inf or NaN.
    """
    network = network_without_memory(build, options, path, path.with_name(CONFIG_FILE))
    with reading(path, "a safetensors file"):
        tensors = _read(path, network.state_dict())
        return with_weights(network, tensors, lambda: build(options))


def with_weights(
    network: _Network, tensors: Mapping[str, torch.Tensor], build: Callable[[], _Network]
) -> _Network:
    """Return a network with these weights, in evaluation mode and without gradients.

    Args:
        network: of the same weights, on the device meta; it takes the tensors over.
        tensors: checked, of the names of its state.
        build: makes it anew, for networks with constants that no state holds.
    """
    network.load_state_dict(tensors, strict=True, assign=True)
    if any(t.is_meta for t in chain(network.parameters(), network.buffers())):
        network = build()
        network.load_state_dict(tensors, strict=True)
    return network.eval().requires_grad_(False)


def network_without_memory(
    build: Callable[[Mapping[str, Any]], _Network],
    options: Mapping[str, Any],
    weights: Path,
    source: Path,
) -> _Network:
    """Return a network of names and shapes only, on the device meta.

    Args:
        build: makes the network.
        options: may lie: sizes that the file of the weights cannot hold are refused.
        weights: that file.
        source: file that the options come from, named in errors.

    Raises:
        BundleError: the options build no network.
    """
    size = os.path.getsize(weights)
    with reading(source, f"the options of the network in {weights.name}"):
        for name, value in options.items():
            most = size // _LEAST_OF_LAYER if name == _LAYERS else max(size, _FEW)
            if type(value) is int and abs(value) > most:
                raise BundleError(
                    f"{source}: wanted {name} to fit the {size} bytes of {weights.name}, "
                    f"got {value}"
                )
        with torch.device("meta"):
            return build(options)


def _read(path: Path, wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    with safe_open(path, framework="pt", device="cpu") as file:
        found = set(file.keys())
        for name in sorted(found ^ wanted.keys()):
            what = "none" if name in wanted else f"another, {name}"
            raise BundleError(f"{path}: wanted the weights of the options, {name}, got {what}")
        for name, tensor in wanted.items():
            declared = file.get_slice(name)
            shape, dtype = list(declared.get_shape()), _DTYPES.get(declared.get_dtype())
            if shape != list(tensor.shape) or dtype != tensor.dtype:
                raise BundleError(
                    f"{path}: wanted {name} of shape {list(tensor.shape)} and {tensor.dtype}, "
                    f"got shape {shape} and {declared.get_dtype()}"
                )
        # clones: the file stays mapped otherwise, and weights would follow its later changes
        tensors = {name: file.get_tensor(name).clone() for name in wanted}
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise BundleError(f"{path}: wanted finite weights, got inf or NaN in {name}")
    return tensors
