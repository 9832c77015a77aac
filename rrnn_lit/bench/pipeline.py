"""`rrnn bench data`: what it takes to make a batch, how much of it is padding, how it scales.

Three tables: our batches beside torch's loader and with other length buckets, with the padded
share of each as a note; our batches from texts of different sizes; and what the differences
between these are to a training whose steps take 20 ms besides. Real shares of a step are for
`rrnn bench step` to tell.

Shapes: B sentences, T words of the longest of them.
"""

import itertools
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, RandomSampler

from rrnn_lit.bench.lengths import draw_lengths
from rrnn_lit.bench.options import check_at_least, open_training_text
from rrnn_lit.bench.result import Peer, Row, make_rows
from rrnn_lit.bench.timing import DEFAULT_REPEATS, time_peers
from rrnn_lit.bench.zipf import draw_word_ids
from rrnn_lit.data.batching import BatchOrder
from rrnn_lit.data.loading import ENDLESS, TrainBatches, make_loader
from rrnn_lit.data.token_store import TokenStore, write_blocks

CASE = "data"
Lengths = npt.NDArray[np.int64]
Kept = TypeVar("Kept")
Drawn = tuple[Tensor, Tensor]  # sentence numbers (B,), word_ids_BT
_VOCAB_SIZE = 50_000
_BUCKETS = (0, 10, 50, 100)
_BLANK_EVERY = 200  # as in training
_WARM_UP = 200  # untimed batches of each: the first text would look slower than the others
_STEP_MS = 20  # a step of middle size; that of width 1,024 takes longer on a processor
_PEER_NOTES = {
    "torch DataLoader": "sentences as Python lists, random sampler, pad_sequence",
    "torch DataLoader tensors": "sentences as tensors of int64, random sampler, pad_sequence",
}


@dataclass(frozen=True)
class DataOptions:
    """Sizes of the text and of the batches.

    Attributes:
        sentences: sentences of the text, at least 100.
        largest: sentences of the largest text of the last table, which begins at a hundredth of
            it; at least 1000.
        batch_size: sentences of a batch, at least 1.
        length_buckets: batches that are sorted by length together in ours; 0 disables.
        folder: prepared folder whose sentence lengths are used; null draws news-like ones with a
            mean of 24 words.
        batches: batches drawn in each timed call, at least 1.
        repeats: timed calls of each peer, at least 1.
        seed: of lengths, words and order, any non-negative integer.
    """

    sentences: int = 100_000
    largest: int = 1_000_000
    batch_size: int = 32
    length_buckets: int = 50
    folder: str | None = None
    batches: int = 500
    repeats: int = DEFAULT_REPEATS
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        least = {"sentences": 100, "largest": 1_000, "batch_size": 1, "length_buckets": 0}
        check_at_least(self, least | {"batches": 1, "repeats": 1, "seed": 0})


@dataclass(frozen=True)
class Pass:
    """What a pass over the text turned out to be.

    Attributes:
        padded_share: share of the computed positions that hold no word.
        complete: whether every sentence came exactly once.
    """

    padded_share: float
    complete: bool


def run(options: DataOptions) -> list[Row]:
    """Return the rows of all tables."""
    with tempfile.TemporaryDirectory(prefix="rrnn_bench_") as folder:
        sizes = (options.largest // 100, options.largest // 10, options.largest)
        stores = {n: write_text(Path(folder), n, options) for n in {options.sentences, *sizes}}
        store = stores[options.sentences]
        return [
            *_beside_torch(store, options),
            *_by_size([stores[size] for size in sizes], options),
        ]


def write_text(folder: Path, num_sentences: int, options: DataOptions) -> TokenStore:
    """Write a text with the wanted lengths and words by Zipf's law, and open it."""
    generator = np.random.default_rng(options.seed)
    lengths = _lengths(num_sentences, generator, options.folder)
    word_ids = draw_word_ids(_VOCAB_SIZE, int(lengths.sum()), generator)
    place = folder / str(num_sentences)
    place.mkdir()
    write_blocks(place, "train", [(word_ids, lengths)])
    return TokenStore(place, "train", _VOCAB_SIZE, int(lengths.max()))


def walk_pass(batches: Iterable[Drawn], lengths: Lengths) -> Pass:
    """Return what a pass over sentences of these lengths is, from all its batches."""
    seen = np.zeros(len(lengths), dtype=np.int64)
    computed = 0
    for numbers, word_ids_BT in batches:
        np.add.at(seen, numbers.numpy(), 1)
        computed += word_ids_BT.numel()
    return Pass(1 - int(lengths.sum()) / computed, bool((seen == 1).all()))


def our_batches(store: TokenStore, options: DataOptions, length_buckets: int) -> Iterator[Drawn]:
    """Yield training batches without end, blanked words included."""
    numbers = np.arange(store.num_sentences)
    order = BatchOrder(store.lengths, options.batch_size, options.seed, length_buckets)
    blanks = (np.ones(_VOCAB_SIZE, dtype=np.bool_), 0, _BLANK_EVERY, options.seed)
    batches = TrainBatches(store, numbers, order, blanks, 0, 1)
    for batch in make_loader(batches, 0, ENDLESS, 0, pin_memory=False):
        yield batch["sentence_numbers_B"], batch["word_ids_BT"]


def list_batches(store: TokenStore, options: DataOptions) -> Iterator[Drawn]:
    """Yield batches of torch's loader from lists, as one first writes it, pass after pass."""
    sentences = [store.sentence(n).tolist() for n in range(store.num_sentences)]
    return _torch_batches(sentences, torch.tensor, options)


def tensor_batches(store: TokenStore, options: DataOptions) -> Iterator[Drawn]:
    """Yield batches of torch's loader from a tensor for each sentence, pass after pass."""
    rows = (store.sentence(n).astype(np.int64) for n in range(store.num_sentences))
    return _torch_batches([torch.from_numpy(row) for row in rows], lambda row: row, options)


def _torch_batches(
    kept: list[Kept], as_tensor: Callable[[Kept], Tensor], options: DataOptions
) -> Iterator[Drawn]:
    sentences = list(enumerate(kept))

    def collate(batch: list[tuple[int, Kept]]) -> Drawn:
        tensors = [as_tensor(sentence) for _, sentence in batch]
        return torch.tensor([n for n, _ in batch]), pad_sequence(tensors, batch_first=True)

    loader: DataLoader[Drawn] = DataLoader(
        sentences,  # type: ignore[arg-type]
        options.batch_size,
        sampler=RandomSampler(sentences, generator=torch.Generator().manual_seed(options.seed)),
        collate_fn=collate,
    )
    while True:
        yield from loader


def _beside_torch(store: TokenStore, options: DataOptions) -> list[Row]:
    """Return ours, torch's ways and ours with other length buckets."""
    others = [buckets for buckets in _BUCKETS if buckets != options.length_buckets]
    drawn = {
        "ours": our_batches(store, options, options.length_buckets),
        "torch DataLoader": list_batches(store, options),
        "torch DataLoader tensors": tensor_batches(store, options),
        **{f"ours buckets {b}": our_batches(store, options, b) for b in others},
    }
    notes = {"ours": f"length_buckets {options.length_buckets}", **_PEER_NOTES}
    peers = {n: _describe(b, store, options, notes.get(n, "")) for n, b in drawn.items()}
    sizes = {
        "sentences": store.num_sentences,
        "words": int(store.lengths.sum()),
        "batch_size": options.batch_size,
    }
    return make_rows(CASE, sizes, _seconds(drawn, options), peers, "ours")


def _by_size(stores: list[TokenStore], options: DataOptions) -> list[Row]:
    """Return two rows for each size of the text: a batch, and a training step with it.

    All are ours, so that their notes compare them with the smallest text and not `times_ours`.
    """
    drawn = {_name(s): our_batches(s, options, options.length_buckets) for s in stores}
    peers = {_name(s): _describe(drawn[_name(s)], s, options) for s in stores}
    seconds = _seconds(drawn, options)
    first = _name(stores[0])
    for name, peer in peers.items():
        rate, change = options.batch_size / seconds[name], seconds[first] / seconds[name] - 1
        note = f"{rate:,.0f} sentences/s, {change:+.1%} against the smallest text"
        peers[name] = replace(peer, note=note)
    sizes = {"batch_size": options.batch_size, "length_buckets": options.length_buckets}
    rows = [*make_rows(CASE, sizes, seconds, peers, first), *step_rows(sizes, seconds, peers)]
    return [replace(row, times_ours=None) for row in rows]


def step_rows(
    sizes: dict[str, int], seconds: dict[str, float], peers: dict[str, Peer]
) -> list[Row]:
    """Return what the times of a batch mean for a training step that takes 20 ms besides.

    Args:
        sizes: of the problem.
        seconds: peer -> seconds of a batch; the first is compared with.
        peers: what else is known of them.
    """
    steps = {name: _STEP_MS / 1e3 + batch for name, batch in seconds.items()}
    first = next(iter(steps))
    told = {}
    for name, step in steps.items():
        share, change = seconds[name] / step, steps[first] / step - 1
        note = (
            f"{_STEP_MS} ms and the time of a batch, which is {share:.2%} of it; training "
            f"throughput {change:+.2%} against the smallest text"
        )
        told[name] = replace(peers[name], note=note)
    return make_rows(CASE, sizes | {"step_ms": _STEP_MS}, steps, told, first)


def _name(store: TokenStore) -> str:
    return f"ours {store.num_sentences:,} sentences"


def _describe(
    batches: Iterator[Drawn], store: TokenStore, options: DataOptions, note: str = ""
) -> Peer:
    """Draw one whole pass and tell what it was."""
    num_batches = math.ceil(store.num_sentences / options.batch_size)
    found = walk_pass(itertools.islice(batches, num_batches), store.lengths)
    correct = "each sentence once" if found.complete else "wrong: not each once"
    padded = f"padded share {found.padded_share:.1%}"
    return Peer(correct, "int64", note=f"{note}; {padded}" if note else padded)


def _seconds(drawn: dict[str, Iterator[Drawn]], options: DataOptions) -> dict[str, float]:
    """Return the median seconds of one batch of each."""
    for batches in drawn.values():
        _draw(batches, _WARM_UP, 0)
    timed = {name: partial(_draw, batches, options.batches) for name, batches in drawn.items()}
    return {n: s / options.batches for n, s in time_peers(timed, options.repeats).items()}


def _draw(batches: Iterator[Drawn], count: int, round_number: int) -> None:
    for _ in itertools.islice(batches, count):
        pass


def _lengths(num_sentences: int, generator: np.random.Generator, folder: str | None) -> Lengths:
    if folder is None:
        return draw_lengths(num_sentences, generator)
    return generator.choice(open_training_text(folder).lengths, num_sentences)
