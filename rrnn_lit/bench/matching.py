"""`rrnn bench match`: is the target the nearest word? Ours beside other exhaustive searches.

Three kinds of predictions (early, midway and late in training) without a margin, and the middle
kind with one. Each answer is compared row by row with brute force in float64.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from rrnn_lit.bench.ceilings import Ceilings, measure_ceilings
from rrnn_lit.bench.cost_model import BYTES, match_cost
from rrnn_lit.bench.match_contenders import Contender, contenders, peer_names
from rrnn_lit.bench.match_data import (
    KINDS,
    Kind,
    Predictions,
    brute_force,
    make_dictionary,
    make_predictions,
)
from rrnn_lit.bench.match_peers import Answer
from rrnn_lit.bench.options import (
    check_at_least,
    check_device,
    check_peers,
    is_chosen,
    open_prepared,
)
from rrnn_lit.bench.result import Peer, Row, absent_row, make_rows
from rrnn_lit.bench.timing import DEFAULT_REPEATS, time_peers

CASE = "match"
_MARGIN = 0.2
_GROUPS: tuple[tuple[Kind, float], ...] = (*((kind, 0.0) for kind in KINDS), ("mixed", _MARGIN))


@dataclass(frozen=True)
class MatchOptions:
    """Sizes of the problem and who takes part.

    Attributes:
        rows: predictions to be matched, at least 1; a batch of 32 sentences has about 768.
        vocab_size: words of the dictionary, at least 100; not used with a folder.
        word_dim: length of a word vector, at least 8; not used with a folder.
        folder: prepared folder whose dictionary is used; null makes one up.
        kind: predictions of an early (unmatched), midway (mixed) or late (matched) network; all
            three, and mixed with a margin.
        input_sets: different inputs that take turns, so that none is in the cache; at least 1.
        repeats: timed calls of each peer, at least 1.
        seed: of dictionary and predictions, any non-negative integer.
        device: where ours and the torch peers run, cpu or cuda.
        peers: parts of names with commas between; only these peers run beside ours. Empty: all.
    """

    rows: int = 768
    vocab_size: int = 50_000
    word_dim: int = 300
    folder: str | None = None
    kind: Literal["all", "unmatched", "mixed", "matched"] = "all"
    input_sets: int = 4
    repeats: int = DEFAULT_REPEATS
    seed: int = 0
    device: str = "cpu"
    peers: str = ""

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        least = {"rows": 1, "vocab_size": 100, "word_dim": 8, "input_sets": 1}
        check_at_least(self, least | {"repeats": 1, "seed": 0})
        check_peers(self.peers, peer_names(check_device(self.device)))


@dataclass(frozen=True)
class _Field:
    """The contenders that are ready, with why the others are not."""

    contenders: dict[str, Contender]
    answers: dict[str, Answer]
    absent: dict[str, str]


def run(options: MatchOptions) -> list[Row]:
    """Return the rows of all peers for each kind of predictions."""
    device = check_device(options.device)
    dictionary_VW = _dictionary(options).to(device)
    ceilings = measure_ceilings(device)
    field = _field(dictionary_VW, options.peers)
    rows: list[Row] = []
    groups = _GROUPS if options.kind == "all" else ((options.kind, 0.0),)
    for kind, margin in groups:
        sets = _predictions(dictionary_VW, kind, options)
        rows += _compare(field, dictionary_VW, sets, margin, ceilings, options.repeats)
    return rows


def count_wrong(
    answer: Answer, sets: Sequence[Predictions], truth: Sequence[Tensor], margin: float
) -> int:
    """Return in how many rows an answer differs from the truth, which may have more rows."""
    return sum(
        int((answer(given, margin).cpu() != true_N[: len(given.target_ids_N)].cpu()).sum())
        for given, true_N in zip(sets, truth, strict=True)
    )


def _dictionary(options: MatchOptions) -> Tensor:
    if options.folder is None:
        return make_dictionary(options.vocab_size, options.word_dim, options.seed)
    return torch.tensor(open_prepared(options.folder).word_vectors.vectors_VW)


def _predictions(dictionary_VW: Tensor, kind: Kind, options: MatchOptions) -> list[Predictions]:
    generator = torch.Generator().manual_seed(options.seed + 1)
    device = dictionary_VW.device
    there = (
        make_predictions(dictionary_VW.cpu(), kind, options.rows, generator)
        for _ in range(options.input_sets)
    )
    return [Predictions(*(part.to(device) for part in given)) for given in there]


def _field(dictionary_VW: Tensor, peers: str) -> _Field:
    """Prepare every contender that was chosen."""
    found = {n: c for n, c in contenders(dictionary_VW).items() if is_chosen(n, peers)}
    field = _Field(found, {}, {})
    sample = Predictions(dictionary_VW[:1].float(), torch.zeros_like(dictionary_VW[:1, 0]).long())
    for name, contender in found.items():
        if dictionary_VW.is_cuda and not contender.on_device:
            field.absent[name] = "runs on the CPU only; see --device cpu"
            continue
        # a compiler that is missing shows as any kind of exception
        try:
            answer = contender.build()
            answer(sample, 0.0)
        except Exception as error:
            field.absent[name] = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        else:
            field.answers[name] = answer
    return field


def _compare(
    field: _Field,
    dictionary_VW: Tensor,
    sets: list[Predictions],
    margin: float,
    ceilings: Ceilings,
    repeats: int,
) -> list[Row]:
    """Return the rows of one kind of predictions."""
    truth = [brute_force(dictionary_VW, given, margin) for given in sets]
    num_rows, matched = len(truth[0]), torch.cat(truth)
    sizes = {
        "rows": num_rows,
        "vocab_size": len(dictionary_VW),
        "word_dim": dictionary_VW.shape[1],
        "matched_percent": round(100 * float(matched.double().mean())),
        "margin_percent": round(100 * margin),
    }
    calls, peers, absent = {}, {}, dict(field.absent)
    for name, answer in field.answers.items():
        contender = field.contenders[name]
        if margin and not contender.takes_margin:
            absent[name] = "returns the nearest word, which does not tell its lead"
            continue
        given = [Predictions(*(p[: contender.num_rows or None] for p in s)) for s in sets]
        wrong = count_wrong(answer, given, truth, margin)
        asked = sum(len(s.target_ids_N) for s in given)
        cost = match_cost(
            num_rows, sizes["vocab_size"], sizes["word_dim"], BYTES[contender.precision]
        )
        peers[name] = Peer(
            correct=f"{wrong:,} of {asked:,} rows wrong",
            precision=contender.precision,
            package=contender.package,
            note=contender.note,
            floor_seconds=cost.floor_seconds(ceilings, contender.precision),
        )
        calls[name] = _call(answer, given, margin)
    seconds = time_peers(calls, repeats, dictionary_VW.device)
    scaled = {
        name: value * num_rows / min(num_rows, field.contenders[name].num_rows or num_rows)
        for name, value in seconds.items()
    }
    made = make_rows(CASE, sizes, scaled, peers, "ours")
    return made + [absent_row(CASE, name, sizes, why) for name, why in absent.items()]


def _call(answer: Answer, sets: Sequence[Predictions], margin: float) -> Callable[[int], object]:
    return lambda number: answer(sets[number % len(sets)], margin)
