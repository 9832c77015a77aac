"""What this machine can do at most, measured in the process that measures the peers.

A ceiling is the best of a few runs, not a median: it must not be beaten by what it bounds. For the
same reason float32 is measured with both libraries that torch has on a processor.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor

DTYPES = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "int8": torch.int8,
}
_GEMM_SIZE = {"cpu": 1_536, "cuda": 8_192}
_COPY_BYTES = {"cpu": 1 << 28, "cuda": 1 << 31}
_CACHE_FOLDER = Path("/sys/devices/system/cpu/cpu0/cache")
_USUAL_CACHE_BYTES = 1 << 25


@dataclass(frozen=True)
class Ceilings:
    """Best rates of a machine.

    Attributes:
        flop_per_second: number format -> floating (or integer) operations a second of a large
            square matrix product; a multiplication and an addition count as two.
        bytes_per_second: read and written bytes a second of a copy far larger than the cache.
        cache_bytes: size of the largest cache: what fits in it need not be read anew.
    """

    flop_per_second: dict[str, float]
    bytes_per_second: float
    cache_bytes: int


@cache
def measure_ceilings(
    device: torch.device, gemm_size: int = 0, copy_bytes: int = 0, seconds: float = 0.25
) -> Ceilings:
    """Measure a device for about two seconds, once in a process.

    Args:
        device: where to measure.
        gemm_size: side of the square matrices; 0 takes one that suits the device.
        copy_bytes: size of the copied array; 0 takes one that suits the device.
        seconds: spent on each ceiling, at least two runs.
    """
    size = gemm_size or _GEMM_SIZE[device.type]
    num_bytes = copy_bytes or _COPY_BYTES[device.type]
    # never zeros: a multiplication by zero takes less power and runs faster
    values = torch.randn(size, size, device=device)
    rates = {}
    for name, dtype in DTYPES.items():
        left = (values * 30).to(dtype) if dtype == torch.int8 else values.to(dtype)
        product = torch._int_mm if dtype == torch.int8 else torch.mm
        best = best_seconds(partial(_product, product, left), device, seconds)
        rates[name] = 2 * size**3 / best
    rates["fp32"] = max(rates["fp32"], 2 * size**3 / _other_fp32_seconds(values, seconds))
    source = torch.ones(num_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = best_seconds(partial(target.copy_, source), device, seconds)
    return Ceilings(rates, 2 * num_bytes / copy, _cache_bytes(device))


def _other_fp32_seconds(values: Tensor, seconds: float) -> float:
    """Return the seconds of a product by oneDNN; infinite where its result is not float32."""
    if values.is_cuda or torch.cpu._is_amx_tile_supported():
        return math.inf
    with matmul_precision("medium"):
        return best_seconds(partial(_product, torch.mm, values), values.device, seconds)


@contextmanager
def matmul_precision(name: str) -> Iterator[None]:
    """Let float32 products have another of torch's settings, and put it back."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _product(product: Callable[[Tensor, Tensor], Tensor], left: Tensor) -> Tensor:
    return product(left, left.T)


def best_seconds(call: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the shortest time of a call, from as many runs as fit into `seconds`."""

    def timed() -> float:
        start = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    timed()
    best, end = timed(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        best = min(best, timed())
    return best


def _cache_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).L2_cache_size)
    sizes = [path.read_text(encoding="ascii").strip() for path in _CACHE_FOLDER.glob("*/size")]
    # Linux writes `32768K`
    return max((int(s[:-1]) << 10 for s in sizes if s.endswith("K")), default=_USUAL_CACHE_BYTES)
