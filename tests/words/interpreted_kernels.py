"""Compare the Triton kernels with float64 brute force in Triton's interpreter, on the CPU.

A program of its own: Triton decides when it is imported whether it interprets.
"""

import torch
from torch import Tensor

from rrnn_lit.words.directions import TOLERANCE, Directions, unit_rows
from rrnn_lit.words.triton_scan import TritonMatch

NUM_ROWS = 140
NUM_WORDS = 200
WORD_DIM = 70


def dictionary(dtype: torch.dtype) -> Tensor:
    """Random words, near ties of them, duplicates, multiples, a zero word."""
    words_VW = torch.randn(NUM_WORDS, WORD_DIM)
    words_VW[100:150] = words_VW[:50] + 1e-3 * torch.randn(50, WORD_DIM)
    words_VW[150:160] = 2 * words_VW[10:20]
    words_VW[160:170] = words_VW[20:30]
    words_VW[170] = 0
    return words_VW.to(dtype)


def predictions(words_VW: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions from very near to unrelated, also without direction, and their targets."""
    targets_N = torch.arange(NUM_ROWS) % 110
    noise_N1 = torch.tensor([1e-5, 0.3, 0.6, 2.0]).repeat(NUM_ROWS // 4)[:, None]
    predicted_NW = words_VW[targets_N].float() + noise_N1 * torch.randn(NUM_ROWS, WORD_DIM)
    middle = words_VW[:8].float() + words_VW[100:108].float()
    predicted_NW[:8] = middle
    predicted_NW[9] = 0
    predicted_NW[10] = torch.nan
    return predicted_NW, targets_N


def brute_force(
    unit_NW: Tensor, directions: Directions, limit_N: Tensor, place_N: Tensor
) -> Tensor:
    """Return which predictions a word of another place beats."""
    cosine_NV = unit_NW @ directions.unit(torch.arange(NUM_WORDS)).T
    other_NV = directions.place_V[None, :] != place_N[:, None]
    rival_NV = other_NV & (directions.place_V >= 0)[None, :]
    return (rival_NV & (cosine_NV > limit_N[:, None] + TOLERANCE)).any(dim=1)


def compare(dtype: torch.dtype, capacity: int, num_rows: int) -> None:
    """Fail if one answer differs."""
    torch.manual_seed(0)
    words_VW = dictionary(dtype)
    directions = Directions(words_VW)
    predicted_NW, targets_N = (rows[:num_rows] for rows in predictions(words_VW))
    unit_NW, usable_N = unit_rows(predicted_NW)
    place_N = directions.place_V[targets_N]
    match = TritonMatch(directions, capacity)
    cosine_N = torch.linalg.vecdot(unit_NW, directions.unit(targets_N))
    for margin in (0.0, 0.2):
        limit_N = cosine_N - margin
        wanted_N = brute_force(unit_NW, directions, limit_N, place_N)[usable_N]
        got_N = match.beaten(unit_NW, limit_N, place_N)[usable_N]
        assert torch.equal(got_N, wanted_N), (dtype, capacity, margin)
        assert 0 < int(wanted_N.sum()) < len(wanted_N) or margin
    assert match.beaten(unit_NW[:0], cosine_N[:0], place_N[:0]).tolist() == []


if __name__ == "__main__":
    torch.set_num_threads(1)
    for stored in (torch.float16, torch.bfloat16, torch.float32):
        compare(stored, 4_096, NUM_ROWS)
    # the list overflows
    compare(torch.float16, 3, 40)
    print("all equal")
