"""Word vectors as directions: unit vectors in float64, and one word to stand for parallel ones.

This is the arithmetic that defines a match; a scan only finds the pairs it has to be asked about.

Shapes: N predictions, V vocab_size, W word_dim, U different directions, P pairs.
"""

import torch
from torch import Tensor

from rrnn_lit.words.parallel import parallel_groups

TOLERANCE = 1e-12
PAIRS_AT_ONCE = 8_192


class Directions:
    """The different directions among the stored words.

    Duplicates and positive multiples of a word share its direction: only the lowest word_id of
    them is scanned, so that none of them can beat another. A zero, NaN or infinite word has no
    direction.

    Attributes:
        vectors_VW: the stored words.
        word_ids_U: the lowest word_id of every direction, ascending.
        place_V: where in `word_ids_U` a word's direction is; -1 for a word without one.
    """

    def __init__(self, vectors_VW: Tensor) -> None:
        self.vectors_VW = vectors_VW
        num_words = len(vectors_VW)
        device = vectors_VW.device
        lowest_V = torch.arange(num_words)
        # numpy has no bfloat16
        is_bf16 = vectors_VW.dtype == torch.bfloat16
        stored_VW = (vectors_VW.float() if is_bf16 else vectors_VW).cpu()
        for group in parallel_groups(stored_VW.numpy()):
            lowest_V[torch.from_numpy(group)] = int(group[0])
        lowest_V = lowest_V.to(device)
        usable_V = torch.cat([unit_rows(part)[1] for part in vectors_VW.split(PAIRS_AT_ONCE)])
        own_V = torch.arange(num_words, device=device)
        self.word_ids_U = own_V[usable_V & (lowest_V == own_V)]
        place_V = torch.full((num_words,), -1, device=device)
        place_V[self.word_ids_U] = torch.arange(len(self.word_ids_U), device=device)
        self.place_V = torch.where(usable_V, place_V[lowest_V], -1)

    def unit(self, word_ids: Tensor) -> Tensor:
        """Return words at norm 1 in float64; see `unit_rows` for words without direction."""
        return unit_rows(self.vectors_VW[word_ids])[0]

    def cosines(self, unit_NW: Tensor, rows_P: Tensor, word_ids_P: Tensor) -> Tensor:
        """Return float64 cosines of pairs, a slice at a time so that memory stays bounded."""
        slices = zip(rows_P.split(PAIRS_AT_ONCE), word_ids_P.split(PAIRS_AT_ONCE), strict=True)
        return torch.cat([torch.linalg.vecdot(unit_NW[r], self.unit(w)) for r, w in slices])


def unit_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows at norm 1 in float64, and which rows have a direction; the others are 0 or NaN.

    A row of zeros becomes 0, a row with an infinity or NaN holds NaN.
    """
    values = rows.to(torch.float64, copy=True)
    if rows.dtype == torch.float64:
        # squares of its tiny or huge values leave float64; those of shorter formats never do
        values /= values.abs().amax(dim=1, keepdim=True)
    norm = torch.linalg.vector_norm(values, dim=1, keepdim=True)
    usable = torch.isfinite(norm) & (norm > 0)
    # in place: passes over all values cost more here than the arithmetic
    values *= torch.where(usable, 1 / norm, 0.0)
    return values, usable.squeeze(1)
