"""Packing: the words of a batch as rows without padding, position after position.

The layout of `torch.nn.utils.rnn.PackedSequence`: all first words, longest sentence first, then
all second words, and so on. Going through it backwards reads every sentence from its own end, so
that one packed array serves the encoder (reversed, right-aligned) and the decoder. Torch's own
packing keeps no row numbers to bring matches and masks back by, and knows no padded form for CUDA
graphs.

Shapes: B sentences, T words of the longest, N words of all sentences (rows).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True)
class Packing:
    """Which word of a padded batch is which row.

    Attributes:
        step_sizes: number of rows of each position; falls from B, sums to N.
        rows_N: row n is element `rows_N[n]` of the flattened (B, T) batch, int64.
        ranks_N: rank of the sentence that row n belongs to, int64.
        last_rows_B: row of each sentence's last word, by rank, int64.
        order_B: sentence of each rank: longest first, int64.
        ranks_B: rank of each sentence, the inverse of `order_B`.
        inside_N: None; or bool, False in rows that only pad (see `padded`).
    """

    step_sizes: tuple[int, ...]
    rows_N: Tensor
    ranks_N: Tensor
    last_rows_B: Tensor
    order_B: Tensor
    ranks_B: Tensor
    inside_N: Tensor | None = None

    @classmethod
    def of(cls, lengths_B: Tensor, device: torch.device) -> "Packing":
        """Return the packing of sentences of the given lengths, each at least 1.

        Args:
            lengths_B: int64 on the host, as `pack_padded_sequence` wants them; lengths on a
                device are fetched, for which the host waits.
            device: where the row numbers are needed.
        """
        lengths = lengths_B.cpu().numpy()
        num_steps = int(lengths.max())
        order = np.argsort(-lengths, kind="stable")
        inside_TB = lengths[order] > np.arange(num_steps)[:, None]
        step_sizes = tuple(inside_TB.sum(axis=1).tolist())
        positions_N, ranks_N = inside_TB.nonzero()
        rows_N = order[ranks_N] * num_steps + positions_N
        numbers = rows_N, ranks_N, last_rows(step_sizes), order, np.argsort(order)
        together = torch.from_numpy(np.concatenate(numbers))
        if device.type == "cuda":
            # one copy out of pinned memory: it waits for nothing that the device still has to do
            together = together.pin_memory()
        parts = together.to(device, non_blocking=True).split([len(n) for n in numbers])
        return cls(step_sizes, *parts)

    @classmethod
    def padded(cls, lengths_B: Tensor, num_steps: int) -> "Packing":
        """Return the packing in which every sentence has `num_steps` rows.

        Its shapes depend on nothing but B and `num_steps`, and the host never waits: what a
        recorded CUDA graph needs. Rows beyond a sentence are computed and change nothing.
        """
        (batch_size,), device = lengths_B.shape, lengths_B.device
        sentences_B = torch.arange(batch_size, device=device)
        positions_T1 = torch.arange(num_steps, device=device)[:, None]
        return cls(
            (batch_size,) * num_steps,
            (sentences_B * num_steps + positions_T1).flatten(),
            sentences_B.repeat(num_steps),
            (lengths_B - 1) * batch_size + sentences_B,
            sentences_B,
            sentences_B,
            (positions_T1 < lengths_B).flatten(),
        )

    @property
    def num_steps(self) -> int:
        """Number of positions T."""
        return len(self.step_sizes)

    @property
    def num_sentences(self) -> int:
        """Number of sentences B."""
        return self.step_sizes[0]

    def pack(self, padded: Tensor) -> Tensor:
        """Return the rows of a padded tensor (B, T or more, ...) as (N, ...)."""
        return padded[:, : self.num_steps].flatten(0, 1)[self.rows_N]

    def unpack(self, rows: Tensor, num_steps: int, fill: float = 0.0) -> Tensor:
        """Return rows (N, ...) as a padded tensor (B, num_steps, ...).

        Args:
            rows: what to spread.
            num_steps: width of the padded tensor, at least T.
            fill: value beyond the sentences.
        """
        if self.inside_N is not None:
            # selected, not multiplied: an infinity times zero would be NaN
            rows = torch.where(self.inside_N.view(-1, *[1] * (rows.dim() - 1)), rows, fill)
        padded = rows.new_full((self.num_sentences * self.num_steps, *rows.shape[1:]), fill)
        padded = padded.index_copy(0, self.rows_N, rows).unflatten(0, (-1, self.num_steps))
        beyond = padded.new_full((1, 1, *rows.shape[1:]), fill)
        missing = num_steps - self.num_steps
        return torch.cat([padded, beyond.expand(len(padded), missing, *rows.shape[1:])], dim=1)


def last_rows(step_sizes: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return the row of each sentence's last word, by rank, of a packing without padding."""
    sizes = np.array(step_sizes)
    starts = sizes.cumsum() - sizes
    ranks = np.arange(sizes[0])
    lengths = (sizes[:, None] > ranks).sum(axis=0)
    return np.asarray(starts[lengths - 1] + ranks)
