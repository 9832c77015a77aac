"""Rows of a packing that a backward pass can reach: those before a sentence's last gradient.

Match drop gives words that decode right a gradient of exactly zero. A sentence that decodes right
altogether needs no way back at all, and the decoder's way back begins at the last word that does
not. What is left out contributes exact zeros, so that gradients differ by the order of sums only.

Shapes: N rows, B sentences, M live rows, L live sentences.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# below this share of rows to leave out, copying the others costs more than it saves
_WORTHWHILE = 0.1


@dataclass(frozen=True)
class LiveRows:
    """A part of a packing that is a packing itself.

    Attributes:
        step_sizes: number of live rows of each position.
        rows_M: the live rows, position after position.
        ranks_L: the live sentences in the order of the part, by rank in the whole.
    """

    step_sizes: tuple[int, ...]
    rows_M: Tensor
    ranks_L: Tensor


def find_live_rows(outer: Tensor, step_sizes: tuple[int, ...]) -> LiveRows | None:
    """Return the rows that the gradient of a recurrence's result reaches; None if nearly all.

    Args:
        outer: gradient of the result on a CPU: of every row, (N, H), which reaches the rows
            before it; or of every sentence's last state, (B, H), which reaches all of its rows.
        step_sizes: rows of each position, falling from B.
    """
    sizes = np.array(step_sizes)
    ranks = np.arange(sizes[0])
    lengths = (sizes[:, None] > ranks).sum(axis=0)
    nonzero = (outer.abs().amax(dim=1) != 0).numpy()
    if len(outer) == sizes.sum():
        position_N = np.repeat(np.arange(len(sizes)), sizes)
        rank_N = np.concatenate([ranks[:size] for size in step_sizes])
        reached = np.zeros_like(lengths)
        np.maximum.at(reached, rank_N[nonzero], position_N[nonzero] + 1)
    else:
        reached = np.where(nonzero, lengths, 0)
    if reached.sum() > (1 - _WORTHWHILE) * sizes.sum():
        return None
    order = np.argsort(-reached, kind="stable")
    # one row must stay: empty packings do not exist
    order = order[: max(1, np.count_nonzero(reached))]
    reached = np.maximum(reached[order], [1] + [0] * (len(order) - 1))
    inside = reached > np.arange(reached[0])[:, None]
    starts = (sizes.cumsum() - sizes)[: reached[0], None]
    return LiveRows(
        tuple(inside.sum(axis=1).tolist()),
        torch.from_numpy((starts + order)[inside]),
        torch.from_numpy(order),
    )
