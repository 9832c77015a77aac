"""`rrnn bench memory`: bytes of a training step by part, and the computation held against a run.

The first rows are computed for the sizes asked for, on a GPU. The rows behind them run a few
steps at sizes that any machine can afford, in processes of their own, and compare what the system
counted with what was computed. No time is measured; the size `bytes` of a row is its result.
"""

import json
import math
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from typing import Literal

import torch

from rrnn_lit.bench.memory_probe import UPDATES
from rrnn_lit.bench.options import check_at_least
from rrnn_lit.bench.result import BYTES, Row
from rrnn_lit.bench.versions import environment
from rrnn_lit.training.memory_budget import (
    MemorySizes,
    describe_budget,
    memory_budget,
    sharded_budget,
)
from rrnn_lit.training.module_options import Memory
from rrnn_lit.training.optimizer import RoundMoments

CASE = "memory"
_MODES: dict[str, tuple[Memory, RoundMoments]] = {
    "ours, lean memory": ("lean", "none"),
    "ours, lean memory, fp16 moments": ("lean", "fp16"),
    "standard memory": ("standard", "none"),
}
_PROBED_STEPS = 24
# of the computed bytes; below, the computation promises too little room to be of use, and above
# a run would not fit where it was said to
_LEAST, _MOST = 0.85, 1.10
_CARDS = (11, 24, 48, 80, 141)  # GB
_RUNTIME = 500_000_000  # what CUDA itself takes, at most
# freed blocks go back to the system at once: its count is then that of the arrays in use
_PLAIN_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "262144"}


@dataclass(frozen=True)
class MemoryOptions:
    """Options of `rrnn bench memory`.

    Attributes:
        hidden_size: width of encoder and decoder.
        word_dim: length of a word vector.
        vocab_size: words in the dictionary.
        batch_size: sentences in a batch.
        max_words: longest sentence, EOS included; the budget is that of a batch full of these.
        precision: of the products, as `trainer.precision`.
        probe_size: width of the runs that are measured; 0 measures nothing. Below about 2,000 what
            is passing, as the preparation of the dictionary, outweighs what a width takes.
        probe_vocab_size: dictionary of the runs that are measured.
        devices: devices that share a batch; with more than one, the budget is that of each, and
            nothing is measured.
        strategy: as `trainer.strategy`: `ddp` keeps whole weights on each device, `fsdp2` shares
            them out.
    """

    hidden_size: int = 10_000
    word_dim: int = 300
    vocab_size: int = 3_000_000
    batch_size: int = 32
    max_words: int = 60
    precision: Literal["16-mixed", "bf16-mixed", "32-true"] = "16-mixed"
    probe_size: int = 3_072
    probe_vocab_size: int = 20_000
    devices: int = 1
    strategy: Literal["ddp", "fsdp2"] = "ddp"

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        positive = ("hidden_size", "word_dim", "vocab_size", "batch_size", "devices")
        least = dict.fromkeys(positive, 1)
        check_at_least(self, least | {"max_words": 2, "probe_size": 0, "probe_vocab_size": 1})


def run(options: MemoryOptions) -> list[Row]:
    """Return a row per way to hold the memory, computed, and again, measured at a small size."""
    asked = MemorySizes(
        hidden_size=options.hidden_size,
        sentence_vector_size=None,
        word_dim=options.word_dim,
        vocab_size=options.vocab_size,
        num_words=options.batch_size * options.max_words,
        precision=options.precision,
        memory="lean",
        round_moments="none",
        on_gpu=True,
    )
    if options.devices > 1:
        return [_row_of_several(asked, options)]
    rows = _rows(asked, probed=False)
    if options.probe_size:
        on_gpu = torch.cuda.is_available()
        probed = replace(
            asked,
            hidden_size=options.probe_size,
            vocab_size=options.probe_vocab_size,
            num_words=options.batch_size * _PROBED_STEPS,
            precision="16-mixed" if on_gpu else "bf16-mixed",
            on_gpu=on_gpu,
        )
        rows += _rows(probed, probed=True)
    return rows


def _rows(sizes: MemorySizes, probed: bool) -> list[Row]:
    rows = []
    for name, (memory, rounds) in _MODES.items():
        chosen = replace(sizes, memory=memory, round_moments=rounds)
        budget = memory_budget(chosen)
        computed = sum(budget.values())
        measured = _probe(chosen) if probed else computed
        rows.append(
            Row(
                case=CASE,
                peer=name,
                seconds=None,
                times_ours=None,
                correct=judge(measured, computed) if probed else _fits(computed),
                floor_share=None,
                sizes={
                    "hidden_size": sizes.hidden_size,
                    "word_dim": sizes.word_dim,
                    "vocab_size": sizes.vocab_size,
                    "num_words": sizes.num_words,
                    "on_gpu": int(sizes.on_gpu),
                    "measured_updates": UPDATES if probed else 0,
                    BYTES: measured,
                },
                versions=environment(sizes.precision),
                note=describe_budget(budget),
            )
        )
    return rows


def _row_of_several(asked: MemorySizes, options: MemoryOptions) -> Row:
    """Return the computed bytes of each of several devices; lean memory is for one."""
    share = math.ceil(options.batch_size / options.devices) * options.max_words
    sizes = replace(asked, memory="standard", num_words=share)
    sharded = options.strategy == "fsdp2"
    budget = sharded_budget(sizes, options.devices) if sharded else memory_budget(sizes)
    computed = sum(budget.values())
    return Row(
        case=CASE,
        peer=f"{options.strategy}, each of {options.devices} devices",
        seconds=None,
        times_ours=None,
        correct=_smallest_card(computed),
        floor_share=None,
        sizes={
            "hidden_size": sizes.hidden_size,
            "word_dim": sizes.word_dim,
            "vocab_size": sizes.vocab_size,
            "num_words": share,
            "devices": options.devices,
            BYTES: computed,
        },
        versions=environment(sizes.precision),
        note=describe_budget(budget),
    )


def _smallest_card(computed: int) -> str:
    """Return the smallest usual card that would hold it."""
    cards = [size for size in _CARDS if computed + _RUNTIME < size * 1e9]
    return f"fits {cards[0]} GB" if cards else f"over {_CARDS[-1]} GB"


def judge(measured: int, computed: int) -> str:
    """Return what share of the computed bytes was measured, and whether that is wrong."""
    share = measured / computed
    return f"{share:.2f} of computed" + ("" if _LEAST <= share <= _MOST else ", wrong")


def _fits(computed: int) -> str:
    """Return whether the paper's card with 11 GB would hold it."""
    return "fits 11 GB" if computed + _RUNTIME < 11e9 else "over 11 GB"


def _probe(sizes: MemorySizes) -> int:
    """Return the peak bytes of a few steps in a new process."""
    fields = json.dumps({**asdict(sizes), "num_steps": _PROBED_STEPS})
    done = subprocess.run(
        [sys.executable, "-m", "rrnn_lit.bench.memory_probe", fields],
        env={**os.environ, **_PLAIN_MALLOC},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last_line = done.stderr.strip().rpartition("\n")[2]
        raise OSError(f"memory probe failed: {last_line or f'exit code {done.returncode}'}")
    return int(done.stdout)
