import pytest
import torch
from torch import nn

from rrnn_lit.bench.ceilings import Ceilings
from rrnn_lit.bench.cost_model import GRU, LSTM, Cell
from rrnn_lit.bench.recurrent import RnnOptions, judge, relative_error, run
from rrnn_lit.bench.result import Row
from rrnn_lit.bench.rnn_contenders import contenders, equal_size, results

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


def test_the_error_is_the_largest_of_any_tensor() -> None:
    exact = [torch.tensor([4.0, -8.0]).double(), torch.tensor([1.0]).double()]
    assert relative_error([torch.tensor([4.0, -7.0]), torch.tensor([1.0])], exact) == 1 / 8
    assert relative_error([torch.tensor([4.0, -8.0]), torch.tensor([0.5])], exact) == 0.5


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
    assert "wrong" not in judge(relative_error(given, exact), "fp32")
    given[-1] = 1.01 * given[-1]
    assert "wrong" in judge(relative_error(given, exact), "fp32")


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
