"""Recurrent layers that take part in `rrnn bench rnn`.

Each runs forward and backward: the states after every word of sentences of equal length, or the
last state of sentences of their own lengths, then the gradients of all weights. Word vectors are
frozen, so nobody computes the gradient of the input.

Shapes: B sentences, T words of the longest, I input size, H hidden size.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from rrnn_lit.bench.autograd_loop import unroll
from rrnn_lit.bench.ceilings import DTYPES
from rrnn_lit.bench.cost_model import GRU, LSTM, RESIDUAL, TANH_RNN, Cell
from rrnn_lit.models.baselines import reverse_words
from rrnn_lit.models.packing import Packing
from rrnn_lit.models.residual_rnn import ResidualRNN

# (layer, inputs_BTI, lengths_B or None) -> states_BTH, or the last states (B, H) with lengths
Forward = Callable[[nn.Module, Tensor, Tensor | None], Tensor]
PRECISIONS = ("bf16", "fp32")
_LAYERS: dict[str, tuple[Callable[..., nn.Module], Cell]] = {
    "nn.LSTM": (nn.LSTM, LSTM),
    "nn.GRU": (nn.GRU, GRU),
    "nn.RNN": (nn.RNN, TANH_RNN),
}
_LOOP_NOTE = "inputs projected before the loop, weights cast once; all sentences padded"
_TORCH_NOTE = "weights kept in its precision: no casts, no fp32 master"


@dataclass(frozen=True)
class Contender:
    """A recurrent layer in one precision.

    Attributes:
        layer: float32 weights, or those of `precision` where it computes in them.
        forward: runs it.
        reference: the same weights in float64.
        reference_forward: runs the reference.
        precision: number format of its products.
        cell: the matrices it multiplies.
        hidden_size: its width.
        note: what a reader must know.
        ways: name -> forward that does the same for sentences of their own lengths; empty where
            there is one way only.
    """

    layer: nn.Module
    forward: Forward
    reference: nn.Module
    reference_forward: Forward
    precision: str
    cell: Cell
    hidden_size: int
    note: str = ""
    ways: Mapping[str, Forward] = field(default_factory=dict)

    def with_fastest(self, seconds: Mapping[str, float]) -> "Contender":
        """Return the contender that runs the fastest of its ways and says so."""
        best, *others = sorted(self.ways, key=lambda way: seconds[way])
        note = f"{best}, here faster than {' and '.join(others)}; {self.note}"
        return replace(self, forward=self.ways[best], note=note, ways={})


def contenders(
    input_size: int, hidden_size: int, device: torch.device, seed: int
) -> dict[str, Contender]:
    """Return name -> contender; `ours` first, then everything in each precision."""
    torch.manual_seed(seed)
    return _residual(input_size, hidden_size, device) | _torch(input_size, hidden_size, device)


def peer_names() -> list[str]:
    """Return the names of all contenders; the global random state stays as it is."""
    with torch.random.fork_rng(devices=[]):
        return list(contenders(8, 8, torch.device("cpu"), seed=0))


def _residual(input_size: int, hidden_size: int, device: torch.device) -> dict[str, Contender]:
    """Return our layer and the loop, which share their weights."""
    layer = ResidualRNN(input_size, hidden_size, "bias_term").to(device)
    for parameter in layer.parameters():
        # larger weights make the states chaotic: rounding errors would grow from step to step
        nn.init.normal_(parameter, std=0.5 * parameter.shape[-1] ** -0.5)
    exact = copy.deepcopy(layer).double()
    found = {}
    for precision in PRECISIONS:
        suffix = "" if precision == PRECISIONS[0] else f" {precision}"
        shared = (exact, loop, precision, RESIDUAL, hidden_size)
        autocast = None if precision == "fp32" else DTYPES[precision]
        found[f"ours{suffix}"] = Contender(layer, _cast(ours, autocast), *shared)
        found[f"autograd loop {precision}"] = Contender(
            layer, _cast(loop, autocast), *shared, note=_LOOP_NOTE
        )
    return found


def _torch(input_size: int, hidden_size: int, device: torch.device) -> dict[str, Contender]:
    """Return torch's layers at our width and at our number of parameters."""
    num_parameters = (2 * hidden_size + input_size + 3) * hidden_size
    found = {}
    for name, (make, cell) in _LAYERS.items():
        equal = equal_size(num_parameters, input_size, cell)
        widths = {name: hidden_size, f"{name} equal parameters": equal}
        for full_name, width in widths.items() if cell != TANH_RNN else [(name, hidden_size)]:
            exact = make(input_size, width, batch_first=True, device=device).double()
            for precision in PRECISIONS:
                note = _TORCH_NOTE if width == hidden_size else f"width {width:,}; {_TORCH_NOTE}"
                found[f"{full_name} {precision}"] = Contender(
                    copy.deepcopy(exact).to(DTYPES[precision]),
                    padded_layer,
                    *(exact, padded_layer, precision, cell, width, note),
                    ways=_TORCH_WAYS,
                )
    return found


def equal_size(num_parameters: int, input_size: int, cell: Cell) -> int:
    """Return the width at which a layer of torch has about so many parameters.

    Each of its gates has n^2 + n input_size weights and two biases a unit.
    """
    half = (input_size + 2) / 2
    return int((num_parameters / cell.recurrent + half**2) ** 0.5 - half + 0.5)


def ours(layer: nn.Module, inputs_BTI: Tensor, lengths_B: Tensor | None) -> Tensor:
    """Run the package's layer; with lengths as the encoder does, on packed rows."""
    assert isinstance(layer, ResidualRNN)
    if lengths_B is None:
        return layer(inputs_BTI)
    packing = Packing.of(lengths_B, inputs_BTI.device)
    return layer.read_backwards(packing.pack(inputs_BTI), packing)[packing.ranks_B]


def loop(layer: nn.Module, inputs_BTI: Tensor, lengths_B: Tensor | None) -> Tensor:
    """Run the same layer as a loop with autograd's gradients."""
    assert isinstance(layer, ResidualRNN)
    if lengths_B is not None:
        inputs_BTI = _backwards(inputs_BTI, lengths_B)
    projected_BTH = F.linear(inputs_BTI, layer.weight_x, layer.bias_1)
    states_BTH = unroll(layer, list(projected_BTH.unbind(dim=1)))
    return states_BTH if lengths_B is None else _last(states_BTH, lengths_B)


def padded_layer(layer: nn.Module, inputs_BTI: Tensor, lengths_B: Tensor | None) -> Tensor:
    """Run a layer of torch; with lengths on padded sentences."""
    assert isinstance(layer, nn.RNNBase)
    inputs_BTI = inputs_BTI.to(next(layer.parameters()).dtype)
    if lengths_B is not None:
        inputs_BTI = _backwards(inputs_BTI, lengths_B)
    states_BTH: Tensor = layer(inputs_BTI)[0]
    return states_BTH if lengths_B is None else _last(states_BTH, lengths_B)


def packed_layer(layer: nn.Module, inputs_BTI: Tensor, lengths_B: Tensor | None) -> Tensor:
    """Run a layer of torch on a packed sequence; needs lengths."""
    assert isinstance(layer, nn.RNNBase)
    assert lengths_B is not None
    inputs_BTI = inputs_BTI.to(next(layer.parameters()).dtype)
    packed = pack_padded_sequence(
        _backwards(inputs_BTI, lengths_B), lengths_B, batch_first=True, enforce_sorted=False
    )
    state = layer(packed)[1]
    last_1BH: Tensor = state[0] if isinstance(state, tuple) else state
    return last_1BH[0]


# a packed sequence has no padding but small products; which of them costs more, the cell decides
_TORCH_WAYS: dict[str, Forward] = {"padded": padded_layer, "packed": packed_layer}


def results(
    layer: nn.Module,
    forward: Forward,
    inputs_BTI: Tensor,
    lengths_B: Tensor | None,
    upstream: Tensor,
) -> list[Tensor]:
    """Return the states and the gradients of all weights.

    Args:
        layer: holds the weights.
        forward: runs it.
        inputs_BTI: word vectors.
        lengths_B: words of each sentence, on the host; None where all have T.
        upstream: gradient of the states; its first components are used.
    """
    states = forward(layer, inputs_BTI, lengths_B)
    gradient = upstream[..., : states.shape[-1]].to(states.dtype)
    return [states.detach(), *torch.autograd.grad(states, list(layer.parameters()), gradient)]


def _cast(forward: Forward, dtype: torch.dtype | None) -> Forward:
    """Return `forward` under autocast, as training runs it."""

    def under_autocast(layer: nn.Module, inputs_BTI: Tensor, lengths_B: Tensor | None) -> Tensor:
        with torch.autocast(inputs_BTI.device.type, dtype=dtype, enabled=dtype is not None):
            return forward(layer, inputs_BTI, lengths_B)

    return under_autocast


def _backwards(inputs_BTI: Tensor, lengths_B: Tensor) -> Tensor:
    return reverse_words(inputs_BTI, lengths_B.to(inputs_BTI.device))


def _last(states_BTH: Tensor, lengths_B: Tensor) -> Tensor:
    rows_B = torch.arange(len(lengths_B), device=states_BTH.device)
    return states_BTH[rows_B, lengths_B.to(states_BTH.device) - 1]
