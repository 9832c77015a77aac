import pytest
import torch
from torch import nn

from rrnn_lit.bench.ceilings import Ceilings
from rrnn_lit.bench.cost_model import GRU, LSTM, Cell
from rrnn_lit.bench.errors import peak_error
from rrnn_lit.bench.recurrent import RnnOptions, judge, run
from rrnn_lit.bench.result import Row
from rrnn_lit.bench.rnn_contenders import (
    contenders,
    equal_size,
    packed_layer,
    padded_layer,
    results,
)

LENGTHS_B = torch.tensor([2, 5, 3])
GENERATOR = torch.Generator().manual_seed(0)
INPUTS_BTI = torch.randn(3, 5, 6, generator=GENERATOR)
UPSTREAM_BTH = torch.randn(3, 5, 16, generator=GENERATOR)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with pytest.MonkeyPatch.context() as patch:
        machine = Ceilings({"fp32": 1e9, "bf16": 2e9}, 1e9, 1 << 20)
        patch.setattr("rrnn_lit.bench.recurrent.measure_ceilings", lambda device: machine)
        return run(RnnOptions(16, 3, 2, 6, input_sets=2, repeats=1))


def test_each_layer_comes_in_both_precisions_for_both_problems(rows: list[Row]) -> None:
    peers = [row.peer for row in rows]
    assert len(peers) == 28
    assert peers[:14] == peers[14:]
    assert peers[:3] == ["ours", "autograd loop bf16", "ours fp32"]
    assert {f"nn.LSTM equal parameters {p}" for p in ("bf16", "fp32")} <= set(peers)


def test_the_first_row_tells_what_the_problem_is(rows: list[Row]) -> None:
    assert "all states; sentences of equal length" in rows[0].note
    assert "the last state of each sentence; lengths as in news text" in rows[14].note


def test_every_layer_agrees_with_its_float64_reference(rows: list[Row]) -> None:
    assert [row.peer for row in rows if "wrong" in row.correct] == []


def test_sentences_of_their_own_lengths_have_fewer_words_than_positions(rows: list[Row]) -> None:
    equal, news = rows[0].sizes, rows[14].sizes
    assert equal["words"] == equal["batch_size"] * equal["num_steps"]
    assert news["words"] < news["batch_size"] * news["num_steps"]


def test_the_floor_of_a_layer_by_hand(rows: list[Row]) -> None:
    row = next(row for row in rows if row.peer == "nn.RNN fp32")
    # 6 words, n 16, d 6: forward and weights 4,224 operations each, gradient 3,072, 1e9 a second
    assert (row.floor_share or 0) * (row.seconds or 0) == pytest.approx(11.52e-6)


@pytest.mark.parametrize(
    ("error", "precision", "text"),
    [
        (3e-7, "fp32", "error 3e-07"),
        (3e-3, "fp32", "error 3e-03, wrong"),
        (3e-3, "bf16", "error 3e-03"),
        (float("nan"), "bf16", "error nan, wrong"),
    ],
)
def test_an_error_beyond_rounding_is_called_wrong(error: float, precision: str, text: str) -> None:
    assert judge(error, precision) == text


@pytest.mark.parametrize("lengths_B", [None, LENGTHS_B], ids=["equal", "ragged"])
def test_a_layer_with_a_wrong_weight_gradient_is_found_out(
    lengths_B: torch.Tensor | None,
) -> None:
    found = contenders(6, 16, torch.device("cpu"), seed=0)["ours fp32"]
    upstream = UPSTREAM_BTH if lengths_B is None else UPSTREAM_BTH[:, 0]

    def outputs(layer: nn.Module, dtype: torch.dtype) -> list[torch.Tensor]:
        forward = found.forward if layer is found.layer else found.reference_forward
        return results(layer, forward, INPUTS_BTI.to(dtype), lengths_B, upstream.to(dtype))

    exact = outputs(found.reference, torch.float64)
    given = outputs(found.layer, torch.float32)
    assert "wrong" not in judge(peak_error(given, exact), "fp32")
    given[-1] = 1.01 * given[-1]
    assert "wrong" in judge(peak_error(given, exact), "fp32")


@pytest.mark.parametrize(("make", "cell"), [(nn.LSTM, LSTM), (nn.GRU, GRU)])
def test_equal_parameters_are_as_equal_as_whole_units_allow(
    make: type[nn.RNNBase], cell: Cell
) -> None:
    def count(width: int) -> int:
        layer = make(input_size=7, hidden_size=width)  # type: ignore[call-arg]
        return sum(parameter.numel() for parameter in layer.parameters())

    width = equal_size(10_000, 7, cell)
    misses = {w: abs(count(w) - 10_000) for w in (width - 1, width, width + 1)}
    assert min(misses, key=lambda w: misses[w]) == width


@pytest.mark.parametrize("name", ["nn.LSTM", "nn.GRU", "nn.RNN"])
def test_padded_and_packed_sentences_give_the_same(name: str) -> None:
    layer = contenders(6, 16, torch.device("cpu"), seed=0)[f"{name} fp32"].reference
    inputs_BTI, upstream_BH = INPUTS_BTI.double(), UPSTREAM_BTH[:, 0].double()
    padded, packed = (
        results(layer, way, inputs_BTI, LENGTHS_B, upstream_BH)
        for way in (padded_layer, packed_layer)
    )
    torch.testing.assert_close(padded, packed)


@pytest.mark.parametrize(
    ("seconds", "way", "text"),
    [
        ({"padded": 1.0, "packed": 2.0}, padded_layer, "padded, here faster than packed"),
        ({"padded": 2.0, "packed": 1.0}, packed_layer, "packed, here faster than padded"),
    ],
)
def test_a_layer_runs_its_faster_way_and_says_so(
    seconds: dict[str, float], way: object, text: str
) -> None:
    layer = contenders(6, 16, torch.device("cpu"), seed=0)["nn.GRU bf16"].with_fastest(seconds)
    assert layer.forward is way
    assert layer.note.startswith(text)


def test_the_choice_is_made_for_sentences_of_their_own_lengths_alone(rows: list[Row]) -> None:
    chosen = ["here faster than" in row.note for row in rows]
    assert chosen == [False] * 14 + [row.peer.startswith("nn.") for row in rows[14:]]
