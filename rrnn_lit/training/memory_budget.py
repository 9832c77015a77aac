"""The memory of a training step, part by part, computed from sizes alone.

Names a limit before a run meets it: at width 10,000 the parameters' state decides, at small widths
the dictionary. Left out: what the device's runtime itself takes (CUDA: 0.3 to 0.5 GB), allocator
fragments, and arrays that do not grow with any size.

Symbols as in the code: H hidden_size, S sentence_vector_size, W word_dim, V vocab_size,
N words of a batch.
"""

from dataclasses import dataclass

from rrnn_lit.training.module_options import Memory
from rrnn_lit.training.optimizer import RoundMoments

_SCORED_WORDS = 2_048  # at once, see words/nearest.py
_PLACES = 48  # bytes a word


@dataclass(frozen=True)
class MemorySizes:
    """Sizes that memory depends on.

    Attributes:
        hidden_size: H.
        sentence_vector_size: S; None means equal to hidden_size.
        word_dim: W.
        vocab_size: V.
        num_words: words of a batch, EOS included; batch size times longest sentence at most.
        precision: of the products, as `trainer.precision`.
        memory: `standard` or `lean`.
        on_gpu: whether the match reads the stored words; on a CPU it keeps copies.
        round_moments: `fp16` moments take 16 bit in lean memory, and 32 in standard memory.
    """

    hidden_size: int
    sentence_vector_size: int | None
    word_dim: int
    vocab_size: int
    num_words: int
    precision: str
    memory: Memory
    round_moments: RoundMoments
    on_gpu: bool


def weight_shapes(sizes: MemorySizes) -> dict[str, list[tuple[int, int]]]:
    """Return the shapes of the weight matrices of each part of the autoencoder."""
    width, words = sizes.hidden_size, sizes.word_dim
    vector = sizes.sentence_vector_size or width
    square = (width, width)
    return {
        "encoder": [(width, words), square, square],
        "sentence vector": [(vector, width)],
        "decoder": [(width, vector), square, square],
        "output": [(words, width)],
    }


def num_weights(sizes: MemorySizes) -> int:
    """Return the number of weights without biases, which are left out of the budget."""
    return sum(a * b for shapes in weight_shapes(sizes).values() for a, b in shapes)


def memory_budget(sizes: MemorySizes) -> dict[str, int]:
    """Return the bytes of each part at the moment of the largest use."""
    wide = sizes.precision == "32-true"
    item = 4 if wide else 2
    weights = num_weights(sizes)
    lean = sizes.memory == "lean"
    moment = 2 if lean and sizes.round_moments == "fp16" else 4
    shapes = weight_shapes(sizes)
    largest = max(a * b for part in shapes.values() for a, b in part)
    part_weights = [sum(a * b for a, b in part) for part in shapes.values()]
    low_precision = 0 if wide else item * (max(part_weights) if lean else weights)
    # lean: one gradient, and its matrix' moments in fp32 while they are updated
    gradients = 4 * largest + (0 if moment == 4 else 8 * largest) if lean else 4 * weights
    row = sizes.num_words * sizes.hidden_size
    # in lean memory products and updates do not overlap
    passing = (
        {"weights in 16 bit, or one gradient": max(low_precision, gradients)}
        if lean
        else {"gradients": gradients, "weights in 16 bit": low_precision}
    )
    return {
        "weights, fp32": 4 * weights,
        "ADAM's moments": 2 * moment * weights,
        **passing,
        # h and z of both layers, the decoder's activations; outer, a and g on the way back
        "states": 8 * item * row,
        # targets, predictions, their gradient and unit vectors in float64
        "words of the batch": sizes.num_words * sizes.word_dim * (4 * 4 + 2 * 8),
        "dictionary, fp16": 2 * sizes.vocab_size * sizes.word_dim,
        # on a CPU two int8 copies and, where words crowd together, one in fp32; norms and places
        "dictionary for the match": sizes.vocab_size
        * (_PLACES + (0 if sizes.on_gpu else 6 * sizes.word_dim)),
        "scores of the match": 4 * sizes.num_words * min(_SCORED_WORDS, sizes.vocab_size),
    }


def describe_budget(budget: dict[str, int]) -> str:
    """Return the budget in one line, largest parts first."""
    parts = sorted(budget.items(), key=lambda part: -part[1])
    named = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in parts if size >= 5e6)
    return f"memory: {sum(budget.values()) / 1e9:.2f} GB ({named})"
