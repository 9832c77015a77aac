"""How the peers of `rrnn bench step` pick the words to match."""

import pytest
import torch
from torch import Tensor

from rrnn_lit.bench.step_peers import match_by_mask, match_by_number
from rrnn_lit.models.autoencoder import valid_positions

LENGTHS_B = torch.tensor([2, 4, 1])
WORD_IDS_BT = torch.tensor([[5, 6, 0, 0], [7, 5, 9, 3], [8, 0, 0, 0]])
PREDICTED_BTW = torch.arange(24.0).reshape(3, 4, 2)


def even_numbered(predicted_NW: Tensor, word_ids_N: Tensor) -> Tensor:
    return (predicted_NW[:, 0] / 2 + word_ids_N) % 2 == 0


def test_numbers_and_masks_pick_the_same_words() -> None:
    valid_BT = valid_positions(LENGTHS_B, 4)
    by_mask = match_by_mask(even_numbered, PREDICTED_BTW, WORD_IDS_BT, valid_BT)
    by_number = match_by_number(even_numbered, PREDICTED_BTW, WORD_IDS_BT, LENGTHS_B)
    # position plus word_id is even; beyond a sentence nothing is matched
    assert by_mask.tolist() == by_number.tolist()
    assert by_number.nonzero().tolist() == [[1, 1], [1, 3], [2, 0]]


def test_numbers_ask_the_device_for_nothing() -> None:
    # a meta tensor has no values: whoever needs one to go on fails
    predicted_BTW, word_ids_BT = PREDICTED_BTW.to("meta"), WORD_IDS_BT.to("meta")
    matched_BT = match_by_number(even_numbered, predicted_BTW, word_ids_BT, LENGTHS_B)
    assert matched_BT.shape == (3, 4)
    valid_BT = valid_positions(LENGTHS_B.to("meta"), 4)
    with pytest.raises(NotImplementedError):
        match_by_mask(even_numbered, predicted_BTW, word_ids_BT, valid_BT)
