"""Ways to store a sentence vector in fewer bytes, all learnt from the same training vectors.

Shapes: N training vectors, B vectors, S sentence_vector_size, C numbers that are stored.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rrnn_lit.evaluation import product_quantisation
from rrnn_lit.models.compressor import Compressor, CompressorShape
from rrnn_lit.models.compressor_start import start_from_components, storing
from rrnn_lit.models.quantisation import INTEGER_BITS, bytes_of, round_straight_through

PLAIN = "plain, fp16"
Restore = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Method:
    """One way at one size.

    Attributes:
        name: the same at all sizes.
        num_bytes: of a stored vector.
        restore: vectors (B, S) as they come back.
    """

    name: str
    num_bytes: int
    restore: Restore


def all_methods(
    vectors_NS: Tensor,
    ratios: Sequence[float],
    with_codebooks: bool,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[Method]:
    """Yield every method at every size that it can have.

    Args:
        vectors_NS: training vectors, on the host.
        ratios: bytes of fp16 by bytes stored; a method takes the nearest size it can have.
        with_codebooks: product quantisation as well, which needs faiss and takes longest.
        say: is told what is being learnt.
    """
    size = vectors_NS.shape[1]
    yield Method(PLAIN, 2 * size, lambda vectors_BS: vectors_BS.half().float())
    for bits in INTEGER_BITS:
        yield Method(f"rounded, {bits} bits", bytes_of(size, bits), rounded(vectors_NS, bits))
    budgets = [max(1, round(2 * size / ratio)) for ratio in ratios]
    for budget in budgets:
        for bits in (16, *INTEGER_BITS):
            method = _components(vectors_NS, budget, bits)
            if method is not None:
                say(f"{method.name}: {method.num_bytes} bytes")
                yield method
    if with_codebooks:
        sizes = {product_quantisation.possible_bytes(size, budget) for budget in budgets}
        for num_bytes in sorted(sizes, reverse=True):
            for name, rotate in (("PQ", False), ("PQ, rotated", True)):
                say(f"{name}: {num_bytes} bytes")
                restore = product_quantisation.learn(vectors_NS, num_bytes, rotate)
                yield Method(name, num_bytes, restore)


def rounded(vectors_NS: Tensor, bits: int) -> Restore:
    """Return what rounds every component in a range of its own, chosen for a normal distribution.

    Args:
        vectors_NS: training vectors.
        bits: of a component: 8, 4 or 2.
    """
    deviation_S, mean_S = torch.std_mean(vectors_NS.float(), dim=0)
    range_S = (deviation_S * storing(bits, 1)[1]).clamp(min=1e-12)

    def restore(vectors_BS: Tensor) -> Tensor:
        centre_S, scale_S = mean_S.to(vectors_BS.device), range_S.to(vectors_BS.device)
        rounded_BS = round_straight_through((vectors_BS.float() - centre_S) / scale_S, bits)
        return rounded_BS * scale_S + centre_S

    return restore


def _components(vectors_NS: Tensor, budget: int, bits: int) -> Method | None:
    """Return principal components that fill a budget of bytes: a compressor before its training.

    None if fp16 would have room for more numbers than there are.
    """
    size = vectors_NS.shape[1]
    compressed_size = budget // 2 if bits == 16 else budget * 8 // bits
    if compressed_size < 1 or (bits == 16 and compressed_size > size):
        return None
    compressor = Compressor(CompressorShape(size, compressed_size, "clip", bits))
    compressor.initialise("sparse", 1.0)
    start_from_components(compressor, vectors_NS)
    name = "PCA, fp16" if bits == 16 else f"PCA, {bits} bits"
    return Method(name, compressor.bytes_per_vector, restore_by(compressor))


def restore_by(compressor: Compressor) -> Restore:
    """Return what a compressor makes of vectors, on their device."""

    @torch.no_grad()
    def restore(vectors_BS: Tensor) -> Tensor:
        return compressor.to(vectors_BS.device)(vectors_BS)

    return restore
