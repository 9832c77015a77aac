"""Product quantisation by faiss: the usual way to store vectors in few bytes, as a peer.

A vector is cut into equal parts, and each part is replaced by the nearest of 256 learnt ones: one
byte a part. With a rotation the parts are made of principal components, dealt out so that all
parts hold about as much (the parametric solution of optimised product quantisation, Ge et al.
2013; its iterative one takes hours at this size).

Shapes: N training vectors, B vectors, S their length.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

_BITS = 8
_LEAST_VECTORS = 1 << _BITS  # one for each learnt part; faiss itself advises 39 times as many
_SEED = 1234


def is_installed() -> bool:
    """Return whether faiss is there."""
    return find_spec("faiss") is not None


def possible_bytes(size: int, wanted: int) -> int:
    """Return the most bytes, at most `wanted`, into which a vector of `size` numbers is cut.

    Args:
        size: S; the parts are equally long, so their number divides it.
        wanted: at least 1.
    """
    return max(parts for parts in range(1, min(wanted, size) + 1) if size % parts == 0)


def learn(vectors_NS: Tensor, num_bytes: int, rotate: bool) -> Callable[[Tensor], Tensor]:
    """Return what stores vectors (B, S) in `num_bytes` bytes each and reads them back.

    Args:
        vectors_NS: to learn from, at least 256.
        num_bytes: parts of a vector; divides S.
        rotate: into balanced principal components first.

    Raises:
        ValueError: faiss is missing, or there are too few vectors.
    """
    if not is_installed():
        raise ValueError(
            "product quantisation: wanted the package faiss, it is not installed; "
            "pip install 'rrnn_lit[bench]'"
        )
    num_vectors, size = vectors_NS.shape
    if num_vectors < _LEAST_VECTORS:
        raise ValueError(
            f"product quantisation: wanted {_LEAST_VECTORS} training vectors, got {num_vectors}"
        )
    import faiss

    vectors_NS = vectors_NS.float().cpu()
    mean_S = vectors_NS.mean(dim=0)
    rotation_SS = balanced(vectors_NS - mean_S, num_bytes) if rotate else torch.eye(size)
    quantiser: Any = faiss.ProductQuantizer(size, num_bytes, _BITS)
    quantiser.cp.seed = _SEED
    quantiser.cp.min_points_per_centroid = 1  # its advice is a warning in every run
    quantiser.train(_for_faiss((vectors_NS - mean_S) @ rotation_SS))

    def restore(vectors_BS: Tensor) -> Tensor:
        rotated = _for_faiss((vectors_BS.float().cpu() - mean_S) @ rotation_SS)
        restored_BS = torch.from_numpy(quantiser.decode(quantiser.compute_codes(rotated)))
        return (restored_BS @ rotation_SS.T + mean_S).to(vectors_BS.device)

    return restore


def balanced(centred_NS: Tensor, num_parts: int) -> Tensor:
    """Return a rotation (S, S) after which all parts have about the same product of variances.

    Args:
        centred_NS: vectors of mean 0.
        num_parts: divides S; part i is columns i S / num_parts and following.
    """
    size = centred_NS.shape[1]
    doubles_NS = centred_NS.double()
    variances_S, directions_SS = torch.linalg.eigh(doubles_NS.T @ doubles_NS)
    logs = variances_S.clamp(min=1e-12).log().tolist()
    parts: list[list[int]] = [[] for _ in range(num_parts)]
    products = [0.0] * num_parts
    for component in range(size - 1, -1, -1):  # the largest first
        open_parts = [i for i in range(num_parts) if len(parts[i]) < size // num_parts]
        part = min(open_parts, key=lambda i: (products[i], i))
        parts[part].append(component)
        # by the smallest variance: no factor below 1, or an empty part would not be the least
        products[part] += logs[component] - logs[0]
    rotation_SS: Tensor = directions_SS[:, [c for part in parts for c in part]].float()
    return rotation_SS


def _for_faiss(vectors_NS: Tensor) -> Any:
    return np.ascontiguousarray(vectors_NS.numpy())
