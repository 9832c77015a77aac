"""How far a result lies from float64, and whether its number format can explain that.

Two measures of a list of tensors, each its largest one over the tensors: the distance over the
norm, for gradients; the largest difference over the largest value, for states.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

# weights and activations are rounded to the format on both sides of hundreds of products
LIMITS = {"fp32": 1e-4, "fp16": 5e-2, "bf16": 5e-2}


def norm_error(found: Iterable[Tensor], exact: Iterable[Tensor]) -> float:
    """Return the largest distance of a tensor from the exact one, over the exact one's norm."""
    return _largest(
        (f.double() - e.double()).norm() / e.double().norm()
        for f, e in zip(found, exact, strict=True)
    )


def peak_error(found: Iterable[Tensor], exact: Iterable[Tensor]) -> float:
    """Return the largest difference in a tensor, over the exact one's largest value."""
    return _largest(
        (f.double() - e.double()).abs().max() / e.double().abs().max()
        for f, e in zip(found, exact, strict=True)
    )


def verdict(precision: str, *errors: float) -> str:
    """Return `, wrong` where rounding to the format cannot explain an error, else nothing."""
    # so asked, NaN is wrong
    return "" if all(error <= LIMITS[precision] for error in errors) else ", wrong"


def _largest(errors: Iterable[Tensor]) -> float:
    # Python's max() would lose a NaN
    return float(torch.stack(list(errors)).max())
