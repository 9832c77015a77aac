"""Who takes part in `rrnn bench match`: ours in each precision of the scan, and the peers.

Shapes: V vocab_size, W word_dim.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from rrnn_lit.bench import match_peers as peers
from rrnn_lit.bench.ceilings import DTYPES
from rrnn_lit.bench.match_data import Predictions, parallel_group
from rrnn_lit.bench.match_peers import Answer
from rrnn_lit.words.nearest import NearestWords, fastest_scan_dtype

_FEW_ROWS = 8
_INDEX = "returns a word: a duplicate of the target counts as wrong"
_FEW = f"{_FEW_ROWS} rows timed and scaled to all"
# on a processor fp16 products take twenty times as long as bf16 ones
_SCANS = {"cpu": ("int8", "bf16", "fp32"), "cuda": ("int8", "fp16", "bf16", "fp32")}


@dataclass(frozen=True)
class Contender:
    """A way to answer.

    Attributes:
        build: prepares it and returns what answers; not timed.
        precision: number format it multiplies in.
        package: installed package it comes from; empty for torch and ours.
        num_rows: rows it is asked for, its time is scaled up; 0 for all.
        takes_margin: whether it can tell by how much the target leads.
        on_device: whether it runs where the tensors are; the others run on the CPU only.
        note: what a reader must know.
    """

    build: Callable[[], Answer]
    precision: str
    package: str = ""
    num_rows: int = 0
    takes_margin: bool = False
    on_device: bool = True
    note: str = ""


def contenders(dictionary_VW: Tensor) -> dict[str, Contender]:
    """Return name -> contender, ours first; the dictionary lies on the device of the run."""
    unit_VW = F.normalize(dictionary_VW.float())
    return _ours(dictionary_VW) | _torch_peers(unit_VW) | _packages(unit_VW)


def peer_names(device: torch.device) -> list[str]:
    """Return the names of all contenders, of which none is prepared."""
    return list(contenders(torch.zeros(1, 1, device=device)))


def _ours(dictionary_VW: Tensor) -> dict[str, Contender]:
    device = dictionary_VW.device
    names = {dtype: name for name, dtype in DTYPES.items()}
    fastest = names[fastest_scan_dtype(device)]
    found = {
        "ours": Contender(
            partial(_matcher, dictionary_VW, fastest),
            fastest,
            takes_margin=True,
            note=f"{fastest} scan, close pairs in fp64; beaten rows leave it (floor: all rows)",
        ),
        "ours nearest word": Contender(
            partial(_nearest_word, dictionary_VW),
            fastest,
            note="the word itself, as decoding needs it; an exact parallel counts as the target",
        ),
    }
    for precision in _SCANS[device.type]:
        if precision != fastest:
            build = partial(_matcher, dictionary_VW, precision)
            found[f"ours {precision} scan"] = Contender(build, precision, takes_margin=True)
    return found


def _matcher(dictionary_VW: Tensor, precision: str) -> Answer:
    words = NearestWords(dictionary_VW, DTYPES[precision])
    return lambda given, margin: words.is_nearest(*given, margin)


def _nearest_word(dictionary_VW: Tensor) -> Answer:
    words = NearestWords(dictionary_VW)
    group_V = parallel_group(dictionary_VW)

    def answer(given: Predictions, margin: float) -> Tensor:
        nearest_N = words.nearest_word_ids(given.predicted_NW)
        return group_V[nearest_N] == group_V[given.target_ids_N]

    return answer


def _torch_peers(unit_VW: Tensor) -> dict[str, Contender]:
    low_VW = unit_VW.to(torch.bfloat16)
    onednn = "oneDNN instead of MKL, by float32_matmul_precision 'medium'"

    def other_library() -> Answer:
        return peers.with_matmul_precision("medium", peers.chunked_amax(unit_VW))

    found = {
        "naive matmul + argmax fp32": Contender(
            partial(peers.naive, unit_VW), "fp32", note=_INDEX
        ),
        "chunked argmax fp32": Contender(
            partial(peers.chunked_argmax, unit_VW), "fp32", note=_INDEX
        ),
        "chunked amax fp32": Contender(
            partial(peers.chunked_amax, unit_VW), "fp32", takes_margin=True
        ),
        "chunked argmax bf16": Contender(
            partial(peers.chunked_argmax, low_VW), "bf16", note=_INDEX
        ),
        "chunked amax bf16": Contender(
            partial(peers.chunked_amax, low_VW), "bf16", takes_margin=True
        ),
    }
    if unit_VW.device.type == "cpu":
        found["chunked amax fp32 oneDNN"] = Contender(
            other_library, "fp32", takes_margin=True, note=onednn
        )
    return found


def _packages(unit_VW: Tensor) -> dict[str, Contender]:
    return {
        **{
            f"faiss IndexFlat{metric}": Contender(
                partial(peers.faiss_flat, unit_VW, metric),
                "fp32",
                "faiss-cpu",
                on_device=False,
                note=_INDEX,
            )
            for metric in ("IP", "L2")
        },
        "gensim most_similar": Contender(
            partial(peers.gensim_most_similar, unit_VW),
            "fp32",
            "gensim",
            num_rows=_FEW_ROWS,
            on_device=False,
            note=f"one query at a time by design; {_FEW}",
        ),
        "KeOps argmin": Contender(
            partial(peers.keops_argmin, unit_VW),
            "fp32",
            "pykeops",
            num_rows=_FEW_ROWS if unit_VW.device.type == "cpu" else 0,
            note=f"compilation not timed; on the CPU {_FEW}",
        ),
    }
