"""Arithmetic and memory traffic of a training step, and the seconds no code can go below.

    floor of a part = max(FLOP / rate of the number format, bytes / copy bandwidth)
    floor of a step = sum over its parts

Counted is what the mathematics asks for: products of true rows only (no padding), each operand
read once, weights read again at every step unless they fit the cache. Elementwise functions and
the overhead of launching are left out, so that the floor is a floor.

Sizes: n hidden_size, d word_dim, B batch_size, T num_steps, R num_rows (true words of a batch),
V vocab_size.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rrnn_lit.bench.ceilings import Ceilings

BYTES = {"fp64": 8, "fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}
# gradient, both moments and weight read; weight, both moments and the 16-bit copy written
ADAM_BYTES_PER_PARAMETER = 28
_ADAM_FLOP_PER_PARAMETER = 12


@dataclass(frozen=True)
class Cost:
    """What a part of a step needs.

    Attributes:
        flop: multiplications and additions.
        num_bytes: bytes moved between memory and processor at least.
    """

    flop: float
    num_bytes: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.flop + other.flop, self.num_bytes + other.num_bytes)

    def floor_seconds(self, ceilings: Ceilings, precision: str) -> float:
        """Return the shortest time on a machine in a number format."""
        compute = self.flop / ceilings.flop_per_second[precision]
        return max(compute, self.num_bytes / ceilings.bytes_per_second)


@dataclass(frozen=True)
class StepSizes:
    """Sizes of one training step.

    Attributes:
        hidden_size: n, width of encoder, decoder and sentence vector.
        word_dim: d, length of a word vector.
        batch_size: B, sentences.
        num_steps: T, words of the longest sentence.
        num_rows: R, true words of the batch.
        vocab_size: V, dictionary entries that each word is matched against.
        weight_bytes: bytes of a weight, an activation and a gradient inside the network.
        dictionary_bytes: bytes of a component of a word vector in the scan.
    """

    hidden_size: int
    word_dim: int
    batch_size: int
    num_steps: int
    num_rows: int
    vocab_size: int
    weight_bytes: int = 2
    dictionary_bytes: int = 2


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent layer by the matrices it multiplies.

    Attributes:
        recurrent: n x n matrices of a step.
        projections: n x d matrices that the input of a step meets.
    """

    recurrent: int
    projections: int


RESIDUAL, LSTM, GRU, TANH_RNN = Cell(2, 1), Cell(4, 4), Cell(3, 3), Cell(1, 1)


def parameter_count(hidden_size: int, word_dim: int = 300) -> int:
    """Return the parameters of the autoencoder, 6 n^2 + (2 d + 7) n + d; paper: 606,070,300."""
    return 6 * hidden_size**2 + (2 * word_dim + 7) * hidden_size + word_dim


def step_costs(sizes: StepSizes, cache_bytes: int = 0) -> dict[str, Cost]:
    """Return the cost of each part of a training step.

    Args:
        sizes: sizes of the step.
        cache_bytes: weights up to this size are read once, not at every step.
    """
    n, d, rows, batch = sizes.hidden_size, sizes.word_dim, sizes.num_rows, sizes.batch_size
    square = n * n * sizes.weight_bytes
    cell_bytes = _streamed(2 * square, sizes.num_steps, cache_bytes)
    cell_flop, projection, sentence = 4 * rows * n * n, 2 * rows * n * d, 2 * batch * n * n
    parameters = parameter_count(n, d)
    activations = (10 * rows * n + 2 * rows * d + 4 * batch * n) * sizes.weight_bytes
    output_bytes = n * d * sizes.weight_bytes
    return {
        "encoder forward": Cost(cell_flop + projection, cell_bytes + output_bytes),
        "sentence vector": Cost(2 * sentence, 2 * square),
        "decoder forward": Cost(
            cell_flop + projection + sentence, cell_bytes + square + output_bytes
        ),
        "matching": match_cost(rows, sizes.vocab_size, d, sizes.dictionary_bytes),
        "decoder data gradient": Cost(
            cell_flop + projection + sentence, cell_bytes + square + output_bytes
        ),
        "encoder data gradient": Cost(cell_flop, cell_bytes),
        "weight gradients": Cost(
            2 * cell_flop + 2 * projection + 2 * sentence,
            parameters * sizes.weight_bytes + activations,
        ),
        "ADAM": adam_cost(parameters),
    }


def step_floor(
    costs: Mapping[str, Cost], ceilings: Ceilings, precision: str, match_precision: str
) -> float:
    """Return the shortest seconds of a step whose parts run one after the other.

    Args:
        costs: what `step_costs` returned.
        ceilings: rates of the machine.
        precision: number format of the network.
        match_precision: number format of the scan of the dictionary.
    """
    return sum(
        cost.floor_seconds(ceilings, match_precision if part == "matching" else precision)
        for part, cost in costs.items()
    )


def match_cost(num_rows: int, vocab_size: int, word_dim: int, num_bytes: int) -> Cost:
    """Return the cost of scoring every row against every word; `num_bytes` a component."""
    words = vocab_size * word_dim
    return Cost(2 * num_rows * words, words * num_bytes)


def adam_cost(num_parameters: int) -> Cost:
    """Return the cost of one update of ADAM with 32-bit state."""
    return Cost(
        _ADAM_FLOP_PER_PARAMETER * num_parameters, ADAM_BYTES_PER_PARAMETER * num_parameters
    )


def layer_costs(
    cell: Cell,
    sizes: StepSizes,
    cache_bytes: int = 0,
) -> dict[str, Cost]:
    """Return the cost of a recurrent layer over words: forward, data and weight gradient.

    The gradient of the input is not counted: word vectors are frozen. `vocab_size` is not used.
    """
    n, d, rows, size = sizes.hidden_size, sizes.word_dim, sizes.num_rows, sizes.weight_bytes
    recurrent, projections = cell.recurrent * n * n, cell.projections * n * d
    streamed = _streamed(recurrent * size, sizes.num_steps, cache_bytes)
    return {
        "forward": Cost(2 * rows * (recurrent + projections), streamed + projections * size),
        "data gradient": Cost(2 * rows * recurrent, streamed),
        "weight gradients": Cost(
            2 * rows * (recurrent + projections), (recurrent + projections) * size
        ),
    }


def _streamed(weight_bytes: int, num_steps: int, cache_bytes: int) -> int:
    """Return the bytes of reading weights at every step when `cache_bytes` of them stay near."""
    return weight_bytes + (num_steps - 1) * max(0, weight_bytes - cache_bytes)
