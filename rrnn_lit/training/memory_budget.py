"""The memory of a training step, part by part, computed from sizes alone.

Names a limit before a run meets it: at width 10,000 the parameters' state decides, at small widths
the dictionary. Left out: what the device's runtime itself takes (CUDA: 0.3 to 0.5 GB), allocator
fragments, and arrays that do not grow with any size.

Symbols as in the code: H hidden_size, S sentence_vector_size, W word_dim, V vocab_size,
N words of a batch.
"""

from dataclasses import dataclass

from rrnn_lit.models.cells import Cell
from rrnn_lit.training.module_options import Memory
from rrnn_lit.training.optimizer import RoundMoments

_SCORED_WORDS = 2_048  # at once, see words/nearest.py
_PLACES = 48  # bytes a word
# rows of width H that a word keeps for the way back or needs on it. Ours: h and z of both layers,
# the decoder's activations; outer, a and g on the way back. Others: what autograd was seen to
# keep (bf16 and fp32 rows together, in items of the precision), and some on the way back
_STATE_ROWS: dict[Cell, int] = {
    "residual": 8,
    "gru": 20,
    "lstm": 55,
    "tanh": 8,
    "transformer": 80,
}
_GATES: dict[Cell, int] = {"gru": 3, "lstm": 4, "tanh": 1}


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
        cell: see `models/cells.py`.
        middle_layer: whether there is one between encoder and sentence vector.
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
    cell: Cell = "residual"
    middle_layer: bool = True


def weight_shapes(sizes: MemorySizes) -> dict[str, list[tuple[int, int]]]:
    """Return the shapes of the weight matrices of each part of the autoencoder."""
    width, words = sizes.hidden_size, sizes.word_dim
    vector = sizes.sentence_vector_size or width
    encoder = _layer_shapes(sizes.cell, words, width)
    if sizes.cell == "transformer":
        encoder += [(3 * width, width), (width, width)]  # attention of the query
    return {
        "encoder": encoder,
        "sentence vector": [(vector, width)] if sizes.middle_layer else [],
        "decoder": _layer_shapes(sizes.cell, vector, width),
        "output": [(words, width)],
    }


def _layer_shapes(cell: Cell, inputs: int, width: int) -> list[tuple[int, int]]:
    square = (width, width)
    if cell == "residual":
        return [(width, inputs), square, square]
    if cell == "transformer":
        wide = [(4 * width, width), (width, 4 * width)]
        return [(width, inputs), *2 * [(3 * width, width), square, *wide]]
    gates = _GATES[cell]
    return [(gates * width, inputs), (gates * width, width)]


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
        "states": _STATE_ROWS[sizes.cell] * item * row,
        # targets, predictions, their gradient and unit vectors in float64
        "words of the batch": sizes.num_words * sizes.word_dim * (4 * 4 + 2 * 8),
        "dictionary, fp16": 2 * sizes.vocab_size * sizes.word_dim,
        # on a CPU two int8 copies and, where words crowd together, one in fp32; norms and places
        "dictionary for the match": sizes.vocab_size
        * (_PLACES + (0 if sizes.on_gpu else 6 * sizes.word_dim)),
        "scores of the match": 4 * sizes.num_words * min(_SCORED_WORDS, sizes.vocab_size),
    }


def sharded_budget(sizes: MemorySizes, devices: int) -> dict[str, int]:
    """Return the bytes of each part on each of the devices that share the weights out.

    Weights, gradients and moments lie in equal parts. Those of the encoder or of the decoder come
    together for their passes: the weights, their gradients, and the buffer these are sent from.
    Copies in 16 bit stay whole from the forward to the backward pass. Computed from how the parts
    are exchanged; never measured on GPUs.

    Args:
        sizes: with the words of one device's share of a batch; standard memory.
        devices: how many.
    """
    shapes = weight_shapes(sizes)
    weights = {name: sum(a * b for a, b in part) for name, part in shapes.items()}
    encoder = weights["encoder"] + weights["sentence vector"]
    decoder = weights["decoder"] + weights["output"]
    shared = ("weights, fp32", "ADAM's moments", "gradients")
    return {
        name: size // devices if name in shared else size
        for name, size in memory_budget(sizes).items()
    } | {"weights and gradients that come together": 12 * max(encoder, decoder)}


def describe_budget(budget: dict[str, int]) -> str:
    """Return the budget in one line, largest parts first."""
    parts = sorted(budget.items(), key=lambda part: -part[1])
    named = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in parts if size >= 5e6)
    return f"memory: {sum(budget.values()) / 1e9:.2f} GB ({named})"
