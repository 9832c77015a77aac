"""`rrnn bench step`: a whole training step of ours beside other ways and other networks.

Ours runs in a real training; the peers take turns with it, block by block. All read the same
sentences, only the naive port in random batches. Seconds a step are the median over blocks of the
seconds for a word inside a sentence, times the mean number of such words in a step: padding that
a peer computes counts against it.

Shapes: B sentences, T words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from rrnn_lit.bench import training_run
from rrnn_lit.bench.adam import adam_rows
from rrnn_lit.bench.ceilings import Ceilings, measure_ceilings
from rrnn_lit.bench.cost_model import BYTES, StepSizes, step_costs, step_floor
from rrnn_lit.bench.gradient_check import describe_errors
from rrnn_lit.bench.lengths import MAX_WORDS
from rrnn_lit.bench.options import check_at_least, check_device, check_peers, is_chosen
from rrnn_lit.bench.result import Peer, Row, make_rows
from rrnn_lit.bench.step_data import Reading, TextSizes, read_blocks, text_folder
from rrnn_lit.bench.step_ours import Turns, WaitingTime
from rrnn_lit.bench.step_peers import (
    Block,
    PeerNetwork,
    PeerTraining,
    Surroundings,
    baseline_peer,
    loop_peer,
    naive_peer,
)
from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.module_options import Memory
from rrnn_lit.words.nearest import NearestWords

CASE = "step"
NAIVE = "naive port"
LOOP = "autograd loop"
PEERS: dict[str, Callable[[Surroundings], PeerNetwork]] = {
    NAIVE: naive_peer,
    LOOP: loop_peer,
    "GRU of equal width": lambda around: baseline_peer("gru", False, around),
    "LSTM of equal width": lambda around: baseline_peer("lstm", False, around),
    "GRU of equal parameters": lambda around: baseline_peer("gru", True, around),
    "LSTM of equal parameters": lambda around: baseline_peer("lstm", True, around),
}
_OUR_NETWORK = ("ours", NAIVE, LOOP)
_TORCH_NOTE = "torch's layer, which projects the sentence vector at every step"
_ADAM_REPEATS = 15
_SCAN_FORMAT = {"cpu": "int8", "cuda": "fp16"}  # the fastest that can still be made exact


@dataclass(frozen=True)
class StepOptions:
    """Sizes of the step and who takes part.

    Attributes:
        hidden_size: width of our network.
        batch_size: sentences of a batch.
        vocab_size: words of the dictionary, at least 1,000; not used with a folder.
        word_dim: length of a word vector, at least 8; not used with a folder.
        folder: prepared folder whose text is used; null makes up text of news-like sizes.
        checkpoint: `last.ckpt` or `best.ckpt` of a run on that folder; our network, the loop and
            the naive port start with its weights. Null: new weights, with which hardly a word
            matches.
        margin: cosine by which a word must lead to count as matched; the naive port has none.
        precision: bf16-mixed, 16-mixed or 32-true; empty: 16 bit of the device. The naive port
            always has 32-true.
        memory: `standard` or `lean`, as `rrnn fit` has it; ours only.
        graph_words: on CUDA, record a graph for each multiple of so many words; 0 disables; ours
            only.
        length_buckets: batches sorted by length together; the naive port has random batches.
        steps: steps of a block.
        repeats: blocks of each peer, at least 1; all their steps together must be a multiple of
            `length_buckets`, so that sorted and random batches hold the same sentences.
        warm_up: untimed steps before the first block, at least 1, at most `length_buckets`.
        adam: also time the variants of ADAM on this network's parameters.
        seed: of made-up text and initial weights, any non-negative integer.
        device: cpu or cuda.
        peers: parts of names with commas between; only these peers run beside ours. Empty: all.
    """

    hidden_size: int = 1024
    batch_size: int = 32
    vocab_size: int = 50_000
    word_dim: int = 300
    folder: str | None = None
    checkpoint: str | None = None
    margin: float = 0.0
    precision: str = ""
    memory: Memory = "standard"
    graph_words: int = 0
    length_buckets: int = 50
    steps: int = 10
    repeats: int = 10
    warm_up: int = 3
    adam: bool = True
    seed: int = 0
    device: str = "cpu"
    peers: str = ""

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        least = {"hidden_size": 1, "batch_size": 1, "vocab_size": 1_000, "word_dim": 8}
        least |= {"length_buckets": 1, "steps": 1, "repeats": 1, "warm_up": 1, "seed": 0}
        check_at_least(self, least | {"graph_words": 0})
        check_device(self.device)
        check_peers(self.peers, ("ours", *PEERS))
        self._check_blocks()
        self._check_training()

    def _check_blocks(self) -> None:
        window = self.length_buckets
        if self.warm_up > window:
            raise ValueError(
                f"--warm_up: wanted at most --length_buckets {window}, got {self.warm_up}"
            )
        if self.steps * self.repeats % window:
            raise ValueError(
                f"--steps: wanted --steps times --repeats to be a multiple of --length_buckets "
                f"{window}, got {self.steps} times {self.repeats}"
            )

    def _check_training(self) -> None:
        """Refuse what the training would refuse later, and by the names of its own options."""
        if not 0 <= self.margin <= 2:
            raise ValueError(f"--margin: wanted a cosine's lead from 0 to 2, got {self.margin}")
        if self.precision and self.precision not in training_run.NUMBER_FORMAT:
            choices = ", ".join(training_run.NUMBER_FORMAT)
            raise ValueError(f"--precision: wanted one of {choices}, got {self.precision!r}")
        if self.precision == "16-mixed" and self.device != "cuda":
            raise ValueError(
                f"--precision: wanted bf16-mixed or 32-true with --device {self.device}, "
                "got '16-mixed', which needs a CUDA device"
            )
        if self.graph_words and (self.device != "cuda" or self.memory == "lean"):
            raise ValueError(
                "--graph_words: wanted 0 without a CUDA device and with --memory lean, "
                f"got {self.graph_words}"
            )

    @property
    def made_up_text(self) -> TextSizes:
        """The sizes of the text where no folder is named."""
        # a window for the warm-up and one in which the clock's last step begins
        num_batches = self.repeats * self.steps + 2 * self.length_buckets
        return TextSizes(num_batches * self.batch_size, self.vocab_size, self.word_dim, self.seed)

    @property
    def chosen_precision(self) -> str:
        """The precision of all but the naive port."""
        return self.precision or training_run.DEVICE_PRECISION[self.device]


def run(options: StepOptions) -> list[Row]:
    """Return the rows of all peers and, if wanted, of ADAM's variants."""
    device = check_device(options.device)
    with text_folder(options.folder, options.made_up_text) as folder:
        rows = _time_steps(options, folder, device)
    if options.adam:
        word_dim, ceilings = rows[0].sizes["word_dim"], measure_ceilings(device)
        rows += adam_rows(CASE, options.hidden_size, word_dim, _ADAM_REPEATS, ceilings, device)
    return rows


def _time_steps(options: StepOptions, folder: Path, device: torch.device) -> list[Row]:
    first = options.length_buckets
    data, peers_data, random_data = (
        # the first block begins behind the warm-up, at a whole window
        training_run.make_data(
            folder, options.batch_size, MAX_WORDS, window, first - options.warm_up
        )
        for window in (first, first, 0)
    )
    reading, random_reading = (
        read_blocks(d, first, options.steps, options.repeats) for d in (peers_data, random_data)
    )
    readings = {name: random_reading if name == NAIVE else reading for name in ("ours", *PEERS)}
    torch.manual_seed(options.seed)
    module = training_run.make_module(
        data.word_dim, options.hidden_size, options.margin, options.memory, options.graph_words
    )
    if options.checkpoint is not None:
        training_run.load_weights(module, Path(options.checkpoint))
    ceilings = measure_ceilings(device)
    words = NearestWords(torch.tensor(data.word_vectors.vectors_VW)).to(device)
    around = Surroundings(
        module.autoencoder,
        words,
        options.margin,
        options.chosen_precision,
        peers_data,
        random_data,
    )
    peers = {n: make(around) for n, make in PEERS.items() if is_chosen(n, options.peers)}
    correct = describe_errors(peers, around)
    blocks = _take_turns(options, module, data, peers, words)
    seconds = {name: readings[name].seconds_per_step(blocks[name]) for name in blocks}
    sizes = {
        "hidden_size": options.hidden_size,
        "batch_size": options.batch_size,
        "words_per_step": round(reading.words_per_step),
        "vocab_size": data.word_vectors.vocab_size,
        "word_dim": data.word_dim,
        "parameters": sum(p.numel() for p in module.autoencoder.parameters()),
        "steps": reading.num_steps,
        "margin_percent": round(100 * options.margin),
    }
    known = {}
    for name in blocks:
        precision = _number_format(name, options)
        note = describe_blocks(blocks[name], seconds[name], readings[name], options.batch_size)
        if name in _OUR_NETWORK:
            floor = _floor(sizes, readings[name], precision, options.device, ceilings)
            known[name] = Peer(correct[name], precision, note=note, floor_seconds=floor)
        else:
            known[name] = Peer(correct[name], precision, note=f"{note}; {_TORCH_NOTE}")
    return make_rows(CASE, sizes, seconds, known, "ours")


def _take_turns(
    options: StepOptions,
    module: AutoencoderModule,
    data: SentenceDataModule,
    peers: dict[str, PeerNetwork],
    words: NearestWords,
) -> dict[str, list[Block]]:
    """Train ours and the peers by turns; return the blocks of each."""
    trainings = {n: PeerTraining(peer, words.vectors_VW) for n, peer in peers.items()}
    for training in trainings.values():
        training.run(options.warm_up)
    blocks: dict[str, list[Block]] = {name: [] for name in trainings}
    names = list(trainings)

    def others(number: int) -> None:
        first = number % max(1, len(names))
        for name in names[first:] + names[:first]:
            blocks[name].append(trainings[name].run(options.steps))

    waiting = WaitingTime()
    turns = Turns(options.steps, options.warm_up, options.repeats, waiting, others)
    device = words.vectors_VW.device
    precision = options.chosen_precision
    training_run.fit(module, data, turns.num_steps, device, precision, turns, waiting)
    return {"ours": turns.blocks, **blocks}


def describe_blocks(
    blocks: Sequence[Block], seconds: float, reading: Reading, batch_size: int
) -> str:
    """Return the rates of a peer and where its time goes, for the note of its row."""
    total = sum(block.seconds for block in blocks)
    matching = sum(block.matching_seconds for block in blocks) / total
    waiting = sum(block.waiting_seconds for block in blocks) / total
    padding = 1 - sum(reading.block_words) / (reading.num_columns * batch_size)
    return (
        f"for {reading.words_per_step:,.0f} true words; {batch_size / seconds:,.0f} sentences/s, "
        f"{reading.words_per_step / seconds:,.0f} words/s; "
        f"matching {matching:.1%}, waiting for data {waiting:.2%}; batches {padding:.1%} padding"
    )


def _number_format(peer: str, options: StepOptions) -> str:
    return "fp32" if peer == NAIVE else training_run.NUMBER_FORMAT[options.chosen_precision]


def _floor(
    sizes: dict[str, int], reading: Reading, precision: str, device: str, ceilings: Ceilings
) -> float:
    """Return the floor of a step of our network for the words that a peer reads."""
    step = StepSizes(
        hidden_size=sizes["hidden_size"],
        word_dim=sizes["word_dim"],
        batch_size=sizes["batch_size"],
        num_steps=round(reading.num_columns / reading.num_steps),
        num_rows=sizes["words_per_step"],
        vocab_size=sizes["vocab_size"],
        weight_bytes=BYTES[precision],
        dictionary_bytes=BYTES[_SCAN_FORMAT[device]],
    )
    costs = step_costs(step, ceilings.cache_bytes)
    return step_floor(costs, ceilings, precision, _SCAN_FORMAT[device])
