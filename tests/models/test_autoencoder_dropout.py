"""Where the autoencoder drops units, and where it never does."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.autoencoder import DropoutPosition, SentenceAutoencoder
from rrnn_lit.models.packing import Packing
from tests.models.test_autoencoder import LENGTHS_B, make_model, make_words
from tests.reference import run_cell


def transparent_model(position: DropoutPosition, locked: bool = True) -> SentenceAutoencoder:
    """W = H = S, and the layers behind the dropout pass it through unchanged."""
    model = make_model(
        word_dim=6,
        sentence_vector_size=6,
        dropout=0.5,
        dropout_locked=locked,
        dropout_position=position,
    )
    with torch.no_grad():
        for layer in (model.encoder.sentence_vector, model.decoder.output):
            layer.weight.copy_(torch.eye(6))
            layer.bias.zero_()
    return model


def wanted_outputs(position: DropoutPosition, states: Tensor) -> Tensor:
    """What a kept unit shows: 2 tanh(h) or tanh(2 h)."""
    return 2 * torch.tanh(states) if position == "output" else torch.tanh(2 * states)


@pytest.mark.parametrize("position", get_args(DropoutPosition))
def test_decoder_dropout_is_at_its_position_and_never_recurrent(
    position: DropoutPosition,
) -> None:
    model = transparent_model(position)
    vectors_BS = torch.randn(30, 6, dtype=torch.float64).tanh()
    predicted_BTW = model.decoder(vectors_BS, 5)
    # states of a loop that knows no dropout
    states_BTH = torch.stack(
        [run_cell(model.decoder.rnn, torch.stack([s] * 5)) for s in vectors_BS]
    )
    kept_BTW = predicted_BTW != 0
    wanted_BTW = torch.where(kept_BTW, wanted_outputs(position, states_BTH), 0.0)
    torch.testing.assert_close(predicted_BTW, wanted_BTW)
    assert torch.equal(kept_BTW, kept_BTW[:, :1].expand_as(kept_BTW))
    assert 0.3 < float(kept_BTW.double().mean()) < 0.7


@pytest.mark.parametrize("position", get_args(DropoutPosition))
def test_encoder_dropout_is_on_its_last_output_only(position: DropoutPosition) -> None:
    model = transparent_model(position)
    words_BTW = torch.randn(30, 5, 6, dtype=torch.float64)
    vectors_BS = model.encoder(words_BTW, torch.full((30,), 5))
    last_BH = torch.stack([run_cell(model.encoder.rnn, words.flip(0))[-1] for words in words_BTW])
    kept_BS = vectors_BS != 0
    wanted_BS = torch.where(kept_BS, torch.tanh(wanted_outputs(position, last_BH)), 0.0)
    torch.testing.assert_close(vectors_BS, wanted_BS)
    assert 0.3 < float(kept_BS.double().mean()) < 0.7


def test_unlocked_dropout_draws_a_mask_per_word() -> None:
    model = transparent_model("output", locked=False)
    kept_BTW = model.decoder(torch.randn(30, 6, dtype=torch.float64), 5) != 0
    assert not torch.equal(kept_BTW, kept_BTW[:, :1].expand_as(kept_BTW))


def test_encoder_and_decoder_draw_their_own_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = transparent_model("output")
    words_BTW = torch.randn(30, 5, 6, dtype=torch.float64)
    vectors: list[Tensor] = []
    decode = model.decoder.decode

    def spy(vector_BS: Tensor, packing: Packing) -> Tensor:
        vectors.append(vector_BS)
        return decode(vector_BS, packing)

    monkeypatch.setattr(model.decoder, "decode", spy)
    predicted_BTW = model(words_BTW, torch.full((30,), 5))
    assert not torch.equal(vectors[0] != 0, predicted_BTW[:, 0] != 0)


def test_no_dropout_in_evaluation() -> None:
    model = make_model(dropout=0.5)
    words_BTW = make_words()
    assert not torch.equal(model(words_BTW, LENGTHS_B), model(words_BTW, LENGTHS_B))
    model.eval()
    without = make_model(dropout=0.0)
    without.load_state_dict(model.state_dict())
    assert torch.equal(model(words_BTW, LENGTHS_B), without(words_BTW, LENGTHS_B))
