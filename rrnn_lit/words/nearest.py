"""The match: which dictionary word is nearest to a predicted vector (paper section 2.3).

The only definition of a match in this package (decision D-15): a word is matched when no other
dictionary word has a strictly larger cosine with the prediction. Duplicates and positive
multiples of the target never beat it; a zero, NaN or infinite prediction matches nothing.

The whole dictionary is scanned in low precision, chunk by chunk; every pair that the rounding
error could decide wrongly is decided again in float64. The answer therefore equals brute force in
float64 (tolerance 1e-12) whatever the precision of the scan. The scores of one chunk are the
largest array in memory.

Shapes: N predictions, V vocab_size, W word_dim, C words of a chunk, R predictions not beaten yet,
P pairs decided in float64, O pairs of a prediction with its own target.
"""

import torch
from torch import Tensor, nn

from rrnn_lit.words.parallel import parallel_groups

CHUNK_WORDS = 8_192
TOLERANCE = 1e-12
_CHUNK_PAIRS = 65_536
# float32 accumulation of unit vectors of some hundred components; tensor cores may truncate
_ACCUMULATION_ERROR = 4e-5


class NearestWords(nn.Module):
    """A dictionary to match against; moves between devices like any module.

    Args:
        vectors_VW: the stored dictionary, any floating dtype; zero rows are never nearest.
        scan_dtype: precision of the scan; None picks the fastest of the device. It cannot change
            an answer.
    """

    vectors_VW: Tensor
    siblings: Tensor

    def __init__(self, vectors_VW: Tensor, scan_dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.scan_dtype = scan_dtype
        self.register_buffer("vectors_VW", vectors_VW, persistent=False)
        self.register_buffer("siblings", _sibling_pairs(vectors_VW), persistent=False)
        self._scan_words: _ScanWords | None = None

    @torch.no_grad()
    def is_nearest(
        self, predicted_NW: Tensor, target_ids_N: Tensor, margin: float = 0.0
    ) -> Tensor:
        """Return a bool (N,): no other word's cosine exceeds the target's minus `margin`.

        Args:
            predicted_NW: predicted vectors of any floating dtype.
            target_ids_N: word_id each of them should decode to, int64.
            margin: 0 is the paper's match; above 0 the target must lead by this cosine (D-49).
        """
        unit_NW, usable_N = _unit_rows(predicted_NW)
        target_NW, target_usable_N = _unit_rows(self.vectors_VW[target_ids_N])
        limit_N = (unit_NW * target_NW).sum(dim=1) - margin
        words = self._words()
        query_NW, band_N = words.round_queries(unit_NW)
        low_N, high_N = (limit_N - band_N).float(), (limit_N + band_N).float()
        rows_O, columns_O = self._own_words(target_ids_N)
        beaten_N = ~(usable_N & target_usable_N)
        for part in words.parts():
            # a beaten row needs no further scores; frequent words come first and beat most
            open_N = (~beaten_N).nonzero().squeeze(1)
            scores_RC = words.scores(query_NW[open_N], part)
            place_N = torch.full_like(target_ids_N, -1)
            place_N[open_N] = torch.arange(len(open_N), device=open_N.device)
            own_O = (columns_O >= part.start) & (columns_O < part.stop) & (place_N[rows_O] >= 0)
            scores_RC[place_N[rows_O[own_O]], columns_O[own_O] - part.start] = -torch.inf
            largest_R = scores_RC.amax(dim=1).float()
            beaten_N[open_N] |= largest_R > high_N[open_N]
            close_R = (~beaten_N[open_N] & (largest_R >= low_N[open_N])).nonzero().squeeze(1)
            rows_P = open_N[close_R]
            near_PC = scores_RC[close_R].float() >= low_N[rows_P, None]
            pair_rows, columns = near_PC.nonzero(as_tuple=True)
            pair_rows = rows_P[pair_rows]
            cosine_P = self._cosines(unit_NW, pair_rows, columns + part.start)
            beaten_N[pair_rows[cosine_P > limit_N[pair_rows] + TOLERANCE]] = True
        return ~beaten_N

    @torch.no_grad()
    def nearest_word_ids(self, predicted_NW: Tensor) -> Tensor:
        """Return the decoded word of each prediction, int64 (N,).

        The lowest word_id among the largest cosines; -1 for a zero, NaN or infinite prediction.
        """
        unit_NW, usable_N = _unit_rows(predicted_NW)
        words = self._words()
        query_NW, band_N = words.round_queries(unit_NW)
        width_N = (2 * band_N).float()
        # nothing reaches the infinity of an unusable row: after a divergence every word would
        best_N = torch.where(usable_N, -torch.inf, torch.inf)
        found = []
        for part in words.parts():
            scores_NC = words.scores(query_NW, part)
            best_N = torch.maximum(best_N, scores_NC.amax(dim=1).float())
            rows, columns = (scores_NC >= (best_N - width_N)[:, None]).nonzero(as_tuple=True)
            found.append((rows, columns + part.start, scores_NC[rows, columns].float()))
        rows, word_ids, scores = (torch.cat(parts) for parts in zip(*found, strict=True))
        still = scores >= (best_N - width_N)[rows]
        rows, word_ids = rows[still], word_ids[still]
        cosine_P = self._cosines(unit_NW, rows, word_ids)
        top_N = torch.full((len(unit_NW),), -torch.inf, dtype=torch.float64, device=rows.device)
        top_N.scatter_reduce_(0, rows, cosine_P, "amax")
        first = cosine_P >= top_N[rows] - TOLERANCE
        none = len(self.vectors_VW)
        nearest_N = torch.full((len(unit_NW),), none, device=rows.device)
        nearest_N.scatter_reduce_(0, rows[first], word_ids[first], "amin")
        return torch.where(nearest_N == none, -1, nearest_N)

    @torch.no_grad()
    def cosine(self, predicted_NW: Tensor, word_ids_N: Tensor) -> Tensor:
        """Return the cosine of each prediction with one word, float64 (N,); NaN if undefined."""
        unit_NW, usable_N = _unit_rows(predicted_NW)
        word_NW, word_usable_N = _unit_rows(self.vectors_VW[word_ids_N])
        cosine_N = (unit_NW * word_NW).sum(dim=1)
        return torch.where(usable_N & word_usable_N, cosine_N, torch.nan)

    def _own_words(self, target_ids_N: Tensor) -> tuple[Tensor, Tensor]:
        """Return (row, word) pairs that never beat the row's target: itself and its parallels."""
        rows = torch.arange(len(target_ids_N), device=target_ids_N.device)
        if not len(self.siblings):
            return rows, target_ids_N
        same = self.siblings[:, 0] == target_ids_N[:, None]
        sibling_rows, pair = same.nonzero(as_tuple=True)
        words = self.siblings[pair, 1]
        return torch.cat([rows, sibling_rows]), torch.cat([target_ids_N, words])

    def _cosines(self, unit_NW: Tensor, rows: Tensor, word_ids: Tensor) -> Tensor:
        """Return float64 cosines of pairs, a slice at a time so that memory stays bounded."""
        parts = [
            (unit_NW[r] * _unit_rows(self.vectors_VW[w])[0]).sum(dim=1)
            for r, w in zip(rows.split(_CHUNK_PAIRS), word_ids.split(_CHUNK_PAIRS), strict=True)
        ]
        return torch.cat(parts)

    def _words(self) -> "_ScanWords":
        device = self.vectors_VW.device
        if self._scan_words is None or self._scan_words.unit_VW.device != device:
            dtype = self.scan_dtype or fastest_scan_dtype(device)
            self._scan_words = _ScanWords(self.vectors_VW, dtype)
        return self._scan_words


class _ScanWords:
    """Unit word vectors in the precision of the scan, with a bound on their rounding error."""

    def __init__(self, vectors_VW: Tensor, dtype: torch.dtype) -> None:
        self.unit_VW = torch.empty(vectors_VW.shape, dtype=dtype, device=vectors_VW.device)
        self.zero_V = torch.zeros(len(vectors_VW), dtype=torch.bool, device=vectors_VW.device)
        residual = 0.0
        for start in range(0, len(vectors_VW), CHUNK_WORDS):
            part = slice(start, start + CHUNK_WORDS)
            unit_CW, usable_C = _unit_rows(vectors_VW[part])
            self.unit_VW[part] = unit_CW.to(dtype)
            self.zero_V[part] = ~usable_C
            rounded_CW = self.unit_VW[part].double()
            residual = max(residual, float((unit_CW - rounded_CW).norm(dim=1).max()))
        self.residual = residual
        self.any_zero = bool(self.zero_V.any())

    def round_queries(self, unit_NW: Tensor) -> tuple[Tensor, Tensor]:
        """Return the predictions in scan precision and, per row, the error of any of its scores.

        |o.w - o'.w'| <= |o||w - w'| + |o - o'||w'|, plus accumulation, plus the rounding of the
        score itself, whose magnitude is about 1 at most.
        """
        query_NW = unit_NW.to(self.unit_VW.dtype)
        residual_N = (unit_NW - query_NW.double()).norm(dim=1)
        score_rounding = torch.finfo(self.unit_VW.dtype).eps / 2 * 1.02
        band_N = self.residual + residual_N * (1 + self.residual)
        return query_NW, band_N + score_rounding + _ACCUMULATION_ERROR

    def parts(self) -> list[slice]:
        """Return the dictionary as chunks of `CHUNK_WORDS` words."""
        num_words = len(self.unit_VW)
        starts = range(0, num_words, CHUNK_WORDS)
        return [slice(start, min(start + CHUNK_WORDS, num_words)) for start in starts]

    def scores(self, query_NW: Tensor, part: slice) -> Tensor:
        """Return scores_NC of a chunk; zero words score -inf."""
        # an enclosing autocast would lower the precision behind the error bound's back
        with torch.autocast(query_NW.device.type, enabled=False):
            scores_NC = _product(query_NW, self.unit_VW[part])
        if self.any_zero:
            scores_NC.masked_fill_(self.zero_V[part], -torch.inf)
        return scores_NC


def _product(query_NW: Tensor, unit_CW: Tensor) -> Tensor:
    if query_NW.is_cuda and query_NW.dtype in (torch.float16, torch.bfloat16):
        # by default cuBLAS may add partial sums in 16 bit, which the error band does not cover
        return torch.mm(query_NW, unit_CW.T, out_dtype=torch.float32)
    return query_NW @ unit_CW.T


def fastest_scan_dtype(device: torch.device) -> torch.dtype:
    """Return the precision in which a device multiplies fastest, without a change of answers."""
    if device.type == "cuda":
        return torch.float16
    has_bf16 = (
        torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    return torch.bfloat16 if has_bf16 else torch.float32


def _unit_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows of norm 1 in float64 and which rows have one; the others become zero."""
    values = rows.double()
    # divided by the largest magnitude first: squares of tiny or huge values leave float64
    largest = values.abs().amax(dim=1, keepdim=True)
    usable = torch.isfinite(largest) & (largest > 0)
    scaled = torch.where(usable, values / torch.where(usable, largest, 1.0), 0.0)
    norm = scaled.norm(dim=1, keepdim=True)
    return scaled / torch.where(usable, norm, 1.0), usable.squeeze(1)


def _sibling_pairs(vectors_VW: Tensor) -> Tensor:
    """Return every ordered pair of different words with parallel vectors, (K, 2) int64."""
    # numpy has no bfloat16
    is_bf16 = vectors_VW.dtype == torch.bfloat16
    groups = parallel_groups((vectors_VW.float() if is_bf16 else vectors_VW).cpu().numpy())
    pairs = [(a, b) for group in groups for a in group.tolist() for b in group.tolist() if a != b]
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
