"""`rrnn bench rnn`: one recurrent layer, forward and backward, ours beside other layers.

Two problems: sentences of equal length with all states as the result, and sentences with the
lengths of news text with the last state as the result. A row's error is the largest one of the
states and of each weight gradient, relative to the largest value in float64.

Shapes: B sentences, T words of the longest, I input size, H hidden size.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from rrnn_lit.bench.ceilings import Ceilings, measure_ceilings
from rrnn_lit.bench.cost_model import BYTES, StepSizes, layer_costs
from rrnn_lit.bench.errors import peak_error, verdict
from rrnn_lit.bench.lengths import draw_lengths
from rrnn_lit.bench.options import check_at_least, check_device, check_peers, is_chosen
from rrnn_lit.bench.result import Peer, Row, make_rows
from rrnn_lit.bench.rnn_contenders import Contender, contenders, peer_names, results
from rrnn_lit.bench.timing import DEFAULT_REPEATS, time_peers

CASE = "rnn"
_ALL_STATES = "result: all states; sentences of equal length"
_LAST_STATE = "result: the last state of each sentence; lengths as in news text"
_TRIALS = 3  # runs of each way of a layer that has several; the way with the best median is timed


@dataclass(frozen=True)
class RnnOptions:
    """Sizes of the layer and who takes part.

    Attributes:
        hidden_size: width of the layer, at least 8.
        num_steps: words of every sentence where all are equally long, at least 2.
        batch_size: sentences, at least 1.
        word_dim: length of a word vector, the layer's input; at least 1.
        lengths: sentences of equal length, of the lengths of news text (mean 24), or both.
        input_sets: different inputs that take turns, so that none is in the cache; at least 1.
        repeats: timed calls of each peer, at least 1.
        seed: of weights, inputs and lengths, any non-negative integer.
        device: cpu or cuda.
        peers: parts of names with commas between; only these peers run beside ours. Empty: all.
    """

    hidden_size: int = 1_024
    num_steps: int = 24
    batch_size: int = 32
    word_dim: int = 300
    lengths: Literal["both", "equal", "news"] = "both"
    input_sets: int = 4
    repeats: int = DEFAULT_REPEATS
    seed: int = 0
    device: str = "cpu"
    peers: str = ""

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        least = {"hidden_size": 8, "num_steps": 2, "batch_size": 1, "word_dim": 1}
        check_at_least(self, least | {"input_sets": 1, "repeats": 1, "seed": 0})
        check_device(self.device)
        check_peers(self.peers, peer_names())


@dataclass(frozen=True)
class _Problem:
    """Inputs that take turns, and the gradient that comes back.

    Attributes:
        inputs: float32 (B, T, I) each.
        lengths_B: words of each sentence; None where all have T.
        upstream: gradient of the result, wide enough for every contender.
    """

    inputs: list[Tensor]
    lengths_B: Tensor | None
    upstream: Tensor

    @property
    def num_words(self) -> int:
        """True words of a batch."""
        batch_size, num_steps, _ = self.inputs[0].shape
        return batch_size * num_steps if self.lengths_B is None else int(self.lengths_B.sum())


def run(options: RnnOptions) -> list[Row]:
    """Return the rows of all peers for both problems."""
    device = check_device(options.device)
    ceilings = measure_ceilings(device)
    found = {
        name: contender
        for name, contender in contenders(
            options.word_dim, options.hidden_size, device, options.seed
        ).items()
        if is_chosen(name, options.peers)
    }
    problems = []
    if options.lengths != "news":
        problems.append(_problem(options, found, None))
    if options.lengths != "equal":
        lengths = draw_lengths(options.batch_size, np.random.default_rng(options.seed))
        problems.append(_problem(options, found, torch.from_numpy(lengths)))
    return [row for p in problems for row in _compare(found, p, ceilings, options)]


def judge(error: float, precision: str) -> str:
    """Return the error as text, with `wrong` where rounding cannot explain it."""
    return f"error {error:.0e}{verdict(precision, error)}"


def _problem(
    options: RnnOptions, found: dict[str, Contender], lengths_B: Tensor | None
) -> _Problem:
    generator = torch.Generator().manual_seed(options.seed)
    num_steps = options.num_steps if lengths_B is None else int(lengths_B.max())
    shape = options.batch_size, num_steps, options.word_dim
    width = max(contender.hidden_size for contender in found.values())
    result_shape = (*shape[:2], width) if lengths_B is None else (shape[0], width)
    device = options.device
    inputs = [torch.randn(shape, generator=generator) for _ in range(options.input_sets)]
    return _Problem(
        [given.to(device) for given in inputs],
        lengths_B,
        torch.randn(result_shape, generator=generator).to(device),
    )


def _compare(
    found: dict[str, Contender], problem: _Problem, ceilings: Ceilings, options: RnnOptions
) -> list[Row]:
    sizes = {
        "hidden_size": options.hidden_size,
        "num_steps": problem.inputs[0].shape[1],
        "batch_size": options.batch_size,
        "words": problem.num_words,
        "word_dim": options.word_dim,
    }
    device = torch.device(options.device)
    if problem.lengths_B is not None:
        found = {name: _fastest(contender, problem, device) for name, contender in found.items()}
    peers = {
        name: Peer(
            correct=judge(_error(contender, problem), contender.precision),
            precision=contender.precision,
            # where there is nothing else to say, in the first row, the note tells the problem
            note=contender.note or (_ALL_STATES if problem.lengths_B is None else _LAST_STATE),
            floor_seconds=_floor(contender, sizes, ceilings),
        )
        for name, contender in found.items()
    }
    calls = {name: _call(contender, problem) for name, contender in found.items()}
    seconds = time_peers(calls, options.repeats, device)
    return make_rows(CASE, sizes, seconds, peers, "ours")


def _fastest(contender: Contender, problem: _Problem, device: torch.device) -> Contender:
    """Return a contender that runs its fastest way through this problem."""
    if not contender.ways:
        return contender
    calls = {
        way: _call(replace(contender, forward=forward), problem)
        for way, forward in contender.ways.items()
    }
    return contender.with_fastest(time_peers(calls, _TRIALS, device))


def _error(contender: Contender, problem: _Problem) -> float:
    given, lengths_B, upstream = problem.inputs[0], problem.lengths_B, problem.upstream
    return peak_error(
        results(contender.layer, contender.forward, given, lengths_B, upstream),
        results(
            contender.reference,
            contender.reference_forward,
            given.double(),
            lengths_B,
            upstream.double(),
        ),
    )


def _floor(contender: Contender, sizes: dict[str, int], ceilings: Ceilings) -> float:
    step = StepSizes(
        hidden_size=contender.hidden_size,
        word_dim=sizes["word_dim"],
        batch_size=sizes["batch_size"],
        num_steps=sizes["num_steps"],
        num_rows=sizes["words"],
        vocab_size=0,
        weight_bytes=BYTES[contender.precision],
    )
    costs = layer_costs(contender.cell, step, ceilings.cache_bytes)
    return sum(cost.floor_seconds(ceilings, contender.precision) for cost in costs.values())


def _call(contender: Contender, problem: _Problem) -> Callable[[int], object]:
    return lambda number: results(
        contender.layer,
        contender.forward,
        problem.inputs[number % len(problem.inputs)],
        problem.lengths_B,
        problem.upstream,
    )
