"""The match: which dictionary word is nearest to a predicted vector (paper section 2.3).

The only definition of a match in this package (decision D-15): a word is matched when no other
dictionary word has a strictly larger cosine with the prediction. Duplicates and positive
multiples of the target never beat it; a zero, NaN or infinite prediction matches nothing.

The dictionary is scanned in low precision, and every pair that rounding could decide wrongly is
decided again in float64. The answer therefore equals brute force in float64 (tolerance 1e-12)
whatever the scan, the device and the calls before. Nothing here remembers predictions.

Shapes: N predictions, W word_dim, V vocab_size.
"""

from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rrnn_lit.words.decoding import nearest_ids
from rrnn_lit.words.directions import Directions, unit_rows
from rrnn_lit.words.float_scan import FloatScan
from rrnn_lit.words.int8_scan import Int8Scan
from rrnn_lit.words.integers import int8_is_exact
from rrnn_lit.words.scan import Scan, beaten_rows

if TYPE_CHECKING:
    from rrnn_lit.words.triton_scan import TritonMatch

_ROWS_AT_ONCE = 1_024


class NearestWords(nn.Module):
    """A dictionary to match against; moves between devices like any module.

    Args:
        vectors_VW: the stored dictionary, any floating dtype; zero rows are never nearest.
        scan_dtype: precision of the scan; None picks the fastest of the device. It cannot change
            an answer. int8 needs a CPU with VNNI.
        block_words: words scored at once: speed and memory only.
    """

    vectors_VW: Tensor

    def __init__(
        self,
        vectors_VW: Tensor,
        scan_dtype: torch.dtype | None = None,
        block_words: int = 2_048,
    ) -> None:
        super().__init__()
        self.block_words = block_words
        self.scan_dtype = scan_dtype
        self.register_buffer("vectors_VW", vectors_VW, persistent=False)
        self._prepared: _Prepared | None = None

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
        prepared = self._prepare()
        directions = prepared.directions
        unit_NW, usable_N = unit_rows(predicted_NW)
        place_N = directions.place_V[target_ids_N]
        limit_N = torch.linalg.vecdot(unit_NW, directions.unit(target_ids_N)) - margin
        matched_N = usable_N & (place_N >= 0)
        if prepared.kernel is not None:
            return matched_N & ~prepared.kernel.beaten(unit_NW, limit_N, place_N)
        scan = prepared.scan
        for rows in _portions(matched_N):
            beaten = beaten_rows(scan, directions, unit_NW[rows], limit_N[rows], place_N[rows])
            matched_N[rows] = ~beaten
        return matched_N

    @torch.no_grad()
    def nearest_word_ids(self, predicted_NW: Tensor) -> Tensor:
        """Return the decoded word of each prediction, int64 (N,).

        The lowest word_id among the largest cosines; -1 for a zero, NaN or infinite prediction.
        """
        unit_NW, usable_N = unit_rows(predicted_NW)
        nearest_N = torch.full((len(predicted_NW),), -1, device=predicted_NW.device)
        prepared = self._prepare()
        if len(prepared.directions.word_ids_U):
            for rows in _portions(usable_N):
                nearest_N[rows] = nearest_ids(prepared.scan, prepared.directions, unit_NW[rows])
        return nearest_N

    @torch.no_grad()
    def cosine(self, predicted_NW: Tensor, word_ids_N: Tensor) -> Tensor:
        """Return the cosine of each prediction with one word, float64 (N,); NaN if undefined."""
        unit_NW, usable_N = unit_rows(predicted_NW)
        word_NW, word_usable_N = unit_rows(self.vectors_VW[word_ids_N])
        cosine_N = torch.linalg.vecdot(unit_NW, word_NW)
        return torch.where(usable_N & word_usable_N, cosine_N, torch.nan)

    def _prepare(self) -> "_Prepared":
        """Return what is derived from the dictionary, which a move to a device replaces."""
        if self._prepared is None or self._prepared.vectors_VW is not self.vectors_VW:
            self._prepared = _Prepared(self.vectors_VW, self.scan_dtype, self.block_words)
        return self._prepared

    def __getstate__(self) -> dict[str, Any]:
        # a copy or a worker process prepares its own scan when it matches, if it ever does
        return {**self.__dict__, "_prepared": None}


def fastest_scan_dtype(device: torch.device) -> torch.dtype:
    """Return the precision in which a device multiplies fastest, without a change of answers."""
    if device.type == "cuda":
        return torch.float16
    if int8_is_exact():
        return torch.int8
    has_bf16 = (
        torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    return torch.bfloat16 if has_bf16 else torch.float32


def _portions(wanted_N: Tensor) -> list[Tensor] | list[slice]:
    """Return the wanted rows in bounded portions; as slices, which copy nothing, if all are."""
    if bool(wanted_N.all()):
        starts = range(0, len(wanted_N), _ROWS_AT_ONCE)
        return [slice(start, start + _ROWS_AT_ONCE) for start in starts]
    return list(wanted_N.nonzero().squeeze(1).split(_ROWS_AT_ONCE))


class _Prepared:
    """What is derived from a dictionary on its device, each part on first use."""

    def __init__(
        self, vectors_VW: Tensor, scan_dtype: torch.dtype | None, block_words: int
    ) -> None:
        self.vectors_VW = vectors_VW
        self._dtype = scan_dtype or fastest_scan_dtype(vectors_VW.device)
        self._block_words = block_words

    @cached_property
    def directions(self) -> Directions:
        return Directions(self.vectors_VW)

    @cached_property
    def scan(self) -> Scan:
        if self._dtype == torch.int8:
            return Int8Scan(self.directions, self._block_words)
        return FloatScan(self.directions, self._block_words, self._dtype)

    @cached_property
    def kernel(self) -> "TritonMatch | None":
        """The kernel of a CUDA device; without triton the scan serves there too."""
        on_cuda = self.vectors_VW.is_cuda and self._dtype == torch.float16
        # its float64 arithmetic takes squares of the stored values
        if not on_cuda or self.vectors_VW.dtype == torch.float64 or not find_spec("triton"):
            return None
        from rrnn_lit.words.triton_scan import TritonMatch

        return TritonMatch(self.directions)
