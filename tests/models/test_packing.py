import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from rrnn_lit.models.packing import Packing, last_rows

CPU = torch.device("cpu")
LENGTHS = [[3, 7, 1, 5], [4, 4, 4], [1], [2, 9, 9, 1, 1, 9]]


@pytest.mark.parametrize("lengths", LENGTHS)
def test_rows_are_those_of_a_packed_sequence(lengths: list[int]) -> None:
    lengths_B = torch.tensor(lengths)
    padded = torch.arange(len(lengths) * max(lengths)).view(len(lengths), -1)
    packing = Packing.of(lengths_B, CPU)
    order = packing.order_B
    wanted = pack_padded_sequence(padded[order], lengths_B[order], batch_first=True)
    assert packing.pack(padded).tolist() == wanted.data.tolist()
    assert list(packing.step_sizes) == wanted.batch_sizes.tolist()
    assert packing.pack(padded).tolist() == packing.rows_N.tolist()


@pytest.mark.parametrize("lengths", LENGTHS)
def test_ranks_and_order_name_the_sentence_of_a_row(lengths: list[int]) -> None:
    packing = Packing.of(torch.tensor(lengths), CPU)
    sentence_BT = torch.arange(len(lengths))[:, None].expand(-1, max(lengths))
    assert packing.order_B[packing.ranks_N].tolist() == packing.pack(sentence_BT).tolist()
    assert packing.order_B[packing.ranks_B].tolist() == list(range(len(lengths)))


@pytest.mark.parametrize("lengths", LENGTHS)
def test_last_rows_hold_the_last_words(lengths: list[int]) -> None:
    packing = Packing.of(torch.tensor(lengths), CPU)
    position_BT = torch.arange(max(lengths)).expand(len(lengths), -1)
    last = packing.pack(position_BT)[packing.last_rows_B] + 1
    assert last.tolist() == sorted(lengths, reverse=True)
    assert np.array_equal(last_rows(packing.step_sizes), packing.last_rows_B.numpy())


@pytest.mark.parametrize("make", ["of", "padded"])
def test_unpacking_brings_back_what_was_inside_and_fills_the_rest(make: str) -> None:
    lengths_B = torch.tensor([3, 7, 1, 5])
    padded = torch.randn(4, 9, 2)
    packing = Packing.of(lengths_B, CPU) if make == "of" else Packing.padded(lengths_B, 9)
    unpacked = packing.unpack(packing.pack(padded), 9, fill=-2.0)
    inside = torch.arange(9) < lengths_B[:, None]
    assert torch.equal(unpacked[inside], padded[inside])
    assert (unpacked[~inside] == -2).all()


def test_flags_and_numbers_unpack_in_their_own_type() -> None:
    packing = Packing.of(torch.tensor([1, 2]), CPU)
    flags = packing.unpack(torch.tensor([True, True, True]), 2, fill=False)
    assert flags.tolist() == [[True, False], [True, True]]
    assert packing.unpack(torch.tensor([5, 6, 7]), 3, fill=-1).tolist() == [
        [6, -1, -1],
        [5, 7, -1],
    ]


def test_padded_rows_have_fixed_sizes() -> None:
    packing = Packing.padded(torch.tensor([2, 3]), 4)
    assert packing.step_sizes == (2, 2, 2, 2)
    assert packing.inside_N is not None
    assert packing.inside_N.tolist() == [True, True, True, True, False, True, False, False]
    assert packing.last_rows_B.tolist() == [2, 5]
