"""Which network stands between words and sentence vector: the paper's cell, or one beside it.

Every cell has a reader, `read(inputs_NI, packing, reverse, result)`: packed words to one row a
sentence, and a writer, `write(inputs_BI, packing, result)`: one row a sentence to packed rows.
Linear layers, tanh, dropout and loss around them are the same for all (`models/autoencoder.py`).
"""

from typing import Any, Literal

from torch import nn

from rrnn_lit.models.recurrence import FirstStep
from rrnn_lit.models.residual_rnn import ResidualRNN
from rrnn_lit.models.torch_rnn import TorchRNN
from rrnn_lit.models.transformer import NUM_HEADS, TransformerReader, TransformerWriter

Cell = Literal["residual", "gru", "lstm", "tanh", "transformer"]
EncoderOrder = Literal["reversed", "forward"]
# options of the residual cell -> the only value that other cells take
_RESIDUAL_ONLY = {"residual": True, "first_step": "bias_term", "dropout_position": "output"}
_NOT_OF_TRANSFORMER = {"encoder_order": "reversed", "middle_layer": True}


def make_reader(
    cell: Cell, input_size: int, hidden_size: int, first_step: FirstStep, residual: bool
) -> nn.Module:
    """Return the recurrent part of an encoder; see `ResidualRNN` for the last two arguments."""
    if cell == "transformer":
        return TransformerReader(input_size, hidden_size)
    return _make_layer(cell, input_size, hidden_size, first_step, residual)


def make_writer(
    cell: Cell, input_size: int, hidden_size: int, first_step: FirstStep, residual: bool
) -> nn.Module:
    """Return the recurrent part of a decoder."""
    if cell == "transformer":
        return TransformerWriter(input_size, hidden_size)
    return _make_layer(cell, input_size, hidden_size, first_step, residual)


def _make_layer(
    cell: Literal["residual", "gru", "lstm", "tanh"],
    input_size: int,
    hidden_size: int,
    first_step: FirstStep,
    residual: bool,
) -> nn.Module:
    if cell == "residual":
        return ResidualRNN(input_size, hidden_size, first_step, residual)
    return TorchRNN(cell, input_size, hidden_size)


def check_cell(cell: Cell, hidden_size: int, options: dict[str, Any]) -> None:
    """Refuse options that a cell does not know.

    Args:
        cell: the cell.
        hidden_size: its width.
        options: the other options of the network, by name.

    Raises:
        ValueError: names the option.
    """
    if cell == "residual":
        return
    wanted = {**_RESIDUAL_ONLY, **(_NOT_OF_TRANSFORMER if cell == "transformer" else {})}
    for name, value in wanted.items():
        if options[name] != value:
            raise ValueError(
                f"model.{name}: wanted {_text(value)} with model.cell {cell}, which knows no "
                f"other; got {_text(options[name])}"
            )
    if cell == "transformer" and hidden_size % NUM_HEADS:
        raise ValueError(
            f"model.hidden_size: wanted a multiple of {NUM_HEADS}, the heads of model.cell "
            f"transformer, got {hidden_size}"
        )


def _text(value: object) -> str:
    return str(value).lower()
