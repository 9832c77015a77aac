"""The whole match on a CUDA device: three launches, and the host never waits for an answer.

1. `_scan_kernel` multiplies tiles of predictions and words in fp16 with float32 sums. A score
   above limit + band flags its prediction; pairs inside the band go to a list of fixed capacity
   through a counter. Scores are never stored. Flags and counter are integers, so the answer does
   not depend on the order of the tiles.
2. The list is decided in float64, always at its full capacity: unused places are masked.
3. `_exact_kernel` decides in float64 every prediction not yet beaten, against all words, if the
   counter says that the list was too short; otherwise its programs end at once. Slow, but exact.

The band is that of `float_scan`. A dictionary stored in fp16 is read as it is, with its inverse
norms in float32: only the prediction is rounded then. Importing this file needs triton.

Shapes: N predictions, W word_dim, V vocab_size, P places of the list.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from rrnn_lit.words.directions import TOLERANCE, Directions, unit_rows

_TILE_N, _TILE_V, _TILE_W = 128, 128, 64
_EXACT_TILE_V = 32


class TritonMatch:
    """Which predictions a word other than the target beats, on one device.

    Args:
        directions: the words, stored in at most 32 bits a component.
        capacity: length of the list of pairs inside the band; it cannot change an answer.
    """

    def __init__(self, directions: Directions, capacity: int = 16_384) -> None:
        self._directions = directions
        self._capacity = capacity
        vectors_VW = directions.vectors_VW
        # parallel words share a place, and words without direction have -1
        self._place_V = directions.place_V.int()
        norm_V = torch.cat(
            [
                torch.linalg.vector_norm(part, dim=1, dtype=torch.float64)
                for part in vectors_VW.split(capacity)
            ]
        )
        self._inverse_norm_V = torch.where(norm_V > 0, 1 / norm_V, 0.0)
        self._words_VW, self._inverse_V = vectors_VW, self._inverse_norm_V.float()
        self._residual = torch.zeros((), dtype=torch.float64, device=vectors_VW.device)
        if vectors_VW.dtype != torch.float16:
            self._words_VW = torch.empty_like(vectors_VW, dtype=torch.float16)
            self._inverse_V = torch.ones_like(self._inverse_V)
            for start in range(0, len(vectors_VW), capacity):
                unit = unit_rows(vectors_VW[start : start + capacity])[0]
                self._words_VW[start : start + capacity] = unit.half()
                error = (unit - unit.half().double()).norm(dim=1).max()
                self._residual = torch.maximum(self._residual, error)

    def beaten(self, unit_NW: Tensor, limit_N: Tensor, target_place_N: Tensor) -> Tensor:
        """Return which predictions are beaten, bool (N,), as `scan.beaten_rows` does.

        Args:
            unit_NW: predictions of norm 1, or 0, float64; a row of zeros gets any answer.
            limit_N: the cosine another word must exceed by more than the tolerance, float64.
            target_place_N: place of each target in `directions.word_ids_U`.
        """
        device = unit_NW.device
        num_rows, (num_words, word_dim) = len(unit_NW), self._words_VW.shape
        if num_rows == 0:
            return torch.zeros(0, dtype=torch.bool, device=device)
        query_NW = unit_NW.half()
        error_N = (unit_NW - query_NW.double()).norm(dim=1)
        band_N = self._residual + error_N * (1 + self._residual) + word_dim * 2.0**-22 + 2e-6
        own_N = target_place_N.int()
        beaten_N = torch.zeros(num_rows, dtype=torch.int32, device=device)
        # all pairs of a large batch and a large dictionary do not fit 32 bits
        count = torch.zeros(1, dtype=torch.int64, device=device)
        rows_P = torch.zeros(self._capacity, dtype=torch.int64, device=device)
        word_ids_P = torch.zeros_like(rows_P)
        # tiles of predictions vary fastest: a tile of words is read from memory once
        grid = (triton.cdiv(num_rows, _TILE_N), triton.cdiv(num_words, _TILE_V))
        _scan_kernel[grid](
            query_NW,
            self._words_VW,
            self._inverse_V,
            self._place_V,
            own_N,
            (limit_N - band_N).float(),
            (limit_N + band_N).float(),
            beaten_N,
            count,
            rows_P,
            word_ids_P,
            num_rows,
            num_words,
            word_dim,
            self._capacity,
            _TILE_N,
            _TILE_V,
            _TILE_W,
        )
        cosine_P = self._directions.cosines(unit_NW, rows_P, word_ids_P)
        listed_P = torch.arange(self._capacity, device=device) < count
        beats_P = listed_P & (cosine_P > limit_N[rows_P] + TOLERANCE)
        beaten_N.scatter_reduce_(0, rows_P, beats_P.int(), "amax")
        _exact_kernel[(num_rows,)](
            unit_NW,
            self._directions.vectors_VW,
            self._inverse_norm_V,
            self._place_V,
            own_N,
            limit_N + TOLERANCE,
            beaten_N,
            count,
            num_words,
            word_dim,
            self._capacity,
            _EXACT_TILE_V,
            triton.next_power_of_2(word_dim),
        )
        return beaten_N.bool()


@triton.jit  # type: ignore[untyped-decorator]  # triton carries no types
def _scan_kernel(  # type: ignore[no-untyped-def]
    query,
    words,
    inverse,
    place,
    own,
    low,
    high,
    beaten,
    count,
    list_rows,
    list_words,
    num_rows,
    num_words,
    word_dim,
    capacity,
    TILE_N: tl.constexpr,
    TILE_V: tl.constexpr,
    TILE_W: tl.constexpr,
):
    """Flag the predictions surely beaten by a tile of words; list the pairs inside the band."""
    row = tl.program_id(0) * TILE_N + tl.arange(0, TILE_N)
    word = (tl.program_id(1) * TILE_V + tl.arange(0, TILE_V)).to(tl.int64)
    is_row, is_word = row < num_rows, word < num_words
    dims = tl.arange(0, TILE_W)
    scores = tl.zeros((TILE_N, TILE_V), dtype=tl.float32)
    for start in range(0, word_dim, TILE_W):
        dim = start + dims
        is_dim = dim < word_dim
        query_tile = tl.load(
            query + row[:, None] * word_dim + dim[None, :],
            mask=is_row[:, None] & is_dim[None, :],
            other=0.0,
        )
        word_tile = tl.load(
            words + word[None, :] * word_dim + dim[:, None],
            mask=is_word[None, :] & is_dim[:, None],
            other=0.0,
        )
        scores = tl.dot(query_tile, word_tile, scores)
    word_place = tl.load(place + word, mask=is_word, other=-1)
    own_place = tl.load(own + row, mask=is_row, other=-1)
    rival = (word_place >= 0)[None, :] & (word_place[None, :] != own_place[:, None])
    rival = rival & is_row[:, None]
    cosine = scores * tl.load(inverse + word, mask=is_word, other=0.0)[None, :]
    surely = rival & (cosine > tl.load(high + row, mask=is_row, other=0.0)[:, None])
    beats = tl.max(surely.to(tl.int32), axis=1)
    tl.atomic_max(beaten + row, beats, mask=is_row & (beats > 0))
    near = rival & (cosine >= tl.load(low + row, mask=is_row, other=0.0)[:, None])
    near = (near & (beats == 0)[:, None]).to(tl.int32)
    num_near = tl.sum(tl.sum(near, axis=1), axis=0)
    if num_near > 0:
        in_row = tl.cumsum(near, axis=1) - near
        per_row = tl.sum(near, axis=1)
        before = tl.cumsum(per_row, axis=0) - per_row
        slot = tl.atomic_add(count, num_near.to(tl.int64)) + before[:, None] + in_row
        stored = (near > 0) & (slot < capacity)
        tl.store(list_rows + slot, row[:, None].to(tl.int64) + 0 * word[None, :], mask=stored)
        tl.store(list_words + slot, 0 * row[:, None].to(tl.int64) + word[None, :], mask=stored)


@triton.jit  # type: ignore[untyped-decorator]
def _exact_kernel(  # type: ignore[no-untyped-def]
    unit,
    vectors,
    inverse_norm,
    place,
    own,
    beyond,
    beaten,
    count,
    num_words,
    word_dim,
    capacity,
    TILE_V: tl.constexpr,
    DIMS: tl.constexpr,
):
    """Decide one prediction in float64 if the list was too short and nothing beats it yet."""
    row = tl.program_id(0)
    is_open = (tl.load(count) > capacity) & (tl.load(beaten + row) == 0)
    if is_open:
        dim = tl.arange(0, DIMS)
        is_dim = dim < word_dim
        prediction = tl.load(unit + row * word_dim + dim, mask=is_dim, other=0.0)
        limit = tl.load(beyond + row)
        own_place = tl.load(own + row)
        found = tl.zeros((TILE_V,), dtype=tl.int32)
        for start in range(0, num_words, TILE_V):
            word = (start + tl.arange(0, TILE_V)).to(tl.int64)
            is_word = word < num_words
            tile = tl.load(
                vectors + word[:, None] * word_dim + dim[None, :],
                mask=is_word[:, None] & is_dim[None, :],
                other=0.0,
            )
            dot = tl.sum(tile.to(tl.float64) * prediction[None, :], axis=1)
            cosine = dot * tl.load(inverse_norm + word, mask=is_word, other=0.0)
            word_place = tl.load(place + word, mask=is_word, other=-1)
            rival = (word_place >= 0) & (word_place != own_place)
            found = found | (rival & (cosine > limit)).to(tl.int32)
        tl.store(beaten + row, tl.max(found, axis=0))
