from dataclasses import replace
from typing import get_args

import pytest
import torch

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.cells import Cell
from rrnn_lit.training.memory_budget import (
    MemorySizes,
    describe_budget,
    memory_budget,
    num_weights,
)

PAPER = MemorySizes(10_000, None, 300, 3_000_000, 32 * 60, "16-mixed", "lean", "none", True)


@pytest.mark.parametrize("sentence_vector_size", [None, 40])
@pytest.mark.parametrize("cell", get_args(Cell))
def test_weights_are_those_of_the_model(cell: Cell, sentence_vector_size: int | None) -> None:
    sizes = replace(PAPER, hidden_size=72, sentence_vector_size=sentence_vector_size, cell=cell)
    shape = AutoencoderShape(
        300, 72, sentence_vector_size, "bias_term", 0.0, True, "output", cell=cell
    )
    with torch.device("meta"):
        model = SentenceAutoencoder(shape)
    assert num_weights(sizes) == sum(p.numel() for p in model.parameters() if p.dim() > 1)


def test_without_middle_layer_its_weights_need_no_memory() -> None:
    without = replace(PAPER, middle_layer=False)
    assert num_weights(PAPER) - num_weights(without) == 10_000**2


def test_a_network_whose_gradients_autograd_forms_keeps_more_of_every_word() -> None:
    ours, gru = (memory_budget(replace(PAPER, cell=c))["states"] for c in ("residual", "gru"))
    assert gru > 2 * ours


def test_paper_sizes_fit_the_papers_card_in_lean_memory_only() -> None:
    # the paper: under 11 GB at width 10,000 with 3,000,000 words
    assert sum(memory_budget(PAPER).values()) < 11e9
    half = replace(PAPER, round_moments="fp16")
    assert sum(memory_budget(half).values()) < 9e9
    standard = replace(PAPER, memory="standard")
    assert sum(memory_budget(standard).values()) > 13e9


def test_parts_by_hand() -> None:
    weights = 6 * 10_000**2 + 2 * 300 * 10_000
    budget = memory_budget(PAPER)
    assert budget["weights, fp32"] == 4 * weights
    assert budget["ADAM's moments"] == 8 * weights
    assert "gradients" not in budget
    # the decoder's three matrices in 16 bit are larger than one fp32 gradient
    assert budget["weights in 16 bit, or one gradient"] == 6 * 10_000**2
    assert budget["dictionary, fp16"] == 1_800_000_000
    on_cpu = memory_budget(replace(PAPER, on_gpu=False))
    assert on_cpu["dictionary for the match"] - budget["dictionary for the match"] == 5_400_000_000
    assert memory_budget(replace(PAPER, memory="standard"))["gradients"] == 4 * weights


def test_full_precision_keeps_no_second_copy_of_the_weights() -> None:
    budget = memory_budget(replace(PAPER, memory="standard", precision="32-true"))
    assert budget["weights in 16 bit"] == 0


def test_the_line_starts_with_the_sum_and_the_largest_part() -> None:
    line = describe_budget({"small": 6_000_000, "large": 2_000_000_000, "dust": 10})
    assert line == "memory: 2.01 GB (large 2.00, small 0.01)"


@pytest.mark.gpu
@pytest.mark.parametrize("rounds", ["none", "fp16"])
def test_the_papers_size_trains_in_under_11_gb(rounds: str) -> None:
    from rrnn_lit.bench.memory_probe import measure_bytes

    torch.cuda.reset_peak_memory_stats()
    sizes = replace(PAPER, num_words=32 * 24, round_moments=rounds)  # type: ignore[arg-type]
    assert measure_bytes(sizes, 24) < 11e9
