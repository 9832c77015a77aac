"""Autoencoders of every cell do the same task in the same way.

Shapes: B sentences, T words, W word_dim.
"""

from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.cells import Cell
from rrnn_lit.models.packing import Packing

CELLS = get_args(Cell)
LENGTHS = torch.tensor([4, 1, 3])


def make(cell: Cell, hidden_size: int = 8, dropout: float = 0.0, **changes: Any) -> Any:
    options: dict[str, Any] = {"first_step": "bias_term", "dropout_position": "output", **changes}
    shape = AutoencoderShape(
        word_dim=5,
        hidden_size=hidden_size,
        sentence_vector_size=options.pop("sentence_vector_size", 6),
        dropout=dropout,
        dropout_locked=True,
        cell=cell,
        **options,
    )
    model = SentenceAutoencoder(shape).double()
    model.initialise("dense", 0.3, 0.3)
    return model


def words(num_words: int = 4) -> Tensor:
    return torch.randn(3, num_words, 5, dtype=torch.float64)


@pytest.mark.parametrize("cell", CELLS)
def test_sentence_alone_equals_sentence_in_a_batch(cell: Cell) -> None:
    model = make(cell)
    words_BTW = words()
    together_TW = model(words_BTW, LENGTHS)[2, :3]
    torch.testing.assert_close(model(words_BTW[2:, :3], LENGTHS[2:])[0], together_TW)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_counts_for_nothing(cell: Cell) -> None:
    model = make(cell)
    words_BTW = words()
    predicted_BTW = model(words_BTW, LENGTHS)
    assert (predicted_BTW[1, 1:] == 0).all()
    words_BTW[1, 1:], words_BTW[2, 3:] = 1e3, -1e3
    assert torch.equal(model(words_BTW, LENGTHS), predicted_BTW)


@pytest.mark.parametrize("cell", CELLS)
def test_a_word_does_not_depend_on_how_many_are_decoded_behind_it(cell: Cell) -> None:
    decoder = make(cell).decoder
    vectors_BS = torch.rand(3, 6, dtype=torch.float64)
    torch.testing.assert_close(decoder(vectors_BS, 7)[:, :3], decoder(vectors_BS, 3))


@pytest.mark.parametrize("cell", CELLS)
def test_words_of_a_position_differ_from_those_of_another(cell: Cell) -> None:
    predicted_BTW = make(cell).decoder(torch.rand(3, 6, dtype=torch.float64), 3)
    assert not torch.allclose(predicted_BTW[:, 0], predicted_BTW[:, 2])


@pytest.mark.parametrize("cell", CELLS)
def test_every_weight_learns_from_the_first_word_on(cell: Cell) -> None:
    model = make(cell)
    words_BTW = words().requires_grad_()
    outer_BTW = torch.randn(3, 4, 5, dtype=torch.float64)
    (model(words_BTW, LENGTHS) * outer_BTW).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
    assert words_BTW.grad is not None
    assert torch.equal(words_BTW.grad.any(dim=2), torch.arange(4) < LENGTHS[:, None])


@pytest.mark.parametrize("cell", CELLS)
def test_the_sentence_vector_knows_the_order_of_words_and_stays_between_minus_one_and_one(
    cell: Cell,
) -> None:
    encoder = make(cell).encoder
    words_BTW = words(4) * 10
    lengths_B = torch.full((3,), 4)
    vectors_BS = encoder(words_BTW, lengths_B)
    assert vectors_BS.abs().max() < 1
    assert not torch.allclose(encoder(words_BTW[:, [1, 0, 2, 3]], lengths_B), vectors_BS)


@pytest.mark.parametrize("cell", CELLS)
def test_dropout_is_on_the_outputs_of_encoder_and_decoder(cell: Cell) -> None:
    model = make(cell, hidden_size=40, dropout=0.5)
    seen: list[Tensor] = []
    for part in (model.encoder, model.decoder):
        part.activation.register_forward_hook(lambda _, __, output: seen.append(output))
    packing = Packing.of(LENGTHS, torch.device("cpu"))
    model.reconstruct(packing.pack(words()), packing)
    for values in seen:
        assert 0.2 < (values == 0).double().mean() < 0.8
    # one mask for all words of a sentence
    dropped_NH = seen[1] == 0
    assert torch.equal(dropped_NH, dropped_NH[: len(LENGTHS)][packing.ranks_N])
    seen.clear()
    model.eval()(words(), LENGTHS)
    assert all((values != 0).all() for values in seen)


@pytest.mark.parametrize("cell", ["gru", "lstm", "tanh"])
def test_layers_without_middle_layer_give_their_output_itself(cell: Cell) -> None:
    model = make(cell, middle_layer=False, sentence_vector_size=None)
    words_BTW = words()
    vectors_BS = model.encoder(words_BTW, LENGTHS)
    outputs_1TH, _ = model.encoder.rnn.layer(words_BTW[2, :3].flip(0)[:, None])
    torch.testing.assert_close(vectors_BS[2], outputs_1TH[-1, 0])


def test_a_middle_layer_is_needed_for_a_vector_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"model\.sentence_vector_size: wanted null .* got 6"):
        make("residual", middle_layer=False)


@pytest.mark.parametrize("cell", ["gru", "lstm", "tanh", "transformer"])
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"residual": False}, "model.residual: wanted true with model.cell {}, .* got false"),
        (
            {"first_step": "learned_state"},
            "model.first_step: wanted bias_term with model.cell {}, .* got learned_state",
        ),
        (
            {"dropout_position": "before_tanh"},
            "model.dropout_position: wanted output with model.cell {}, .* got before_tanh",
        ),
    ],
)
def test_options_of_the_residual_cell_are_refused_with_others(
    cell: Cell, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text.format(cell)):
        make(cell, **changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"encoder_order": "forward"}, "model.encoder_order: wanted reversed"),
        ({"middle_layer": False}, "model.middle_layer: wanted true"),
        ({"hidden_size": 6}, "model.hidden_size: wanted a multiple of 4, .* got 6"),
    ],
)
def test_what_a_transformer_cannot_do_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make("transformer", **changes)


@pytest.mark.parametrize("cell", CELLS)
def test_16_bit_is_near_full_precision(cell: Cell) -> None:
    model = make(cell).float()
    words_BTW = words().float()
    wanted_BTW = model(words_BTW, LENGTHS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got_BTW = model(words_BTW, LENGTHS)
    # a few roundings of 2^-8 each
    torch.testing.assert_close(got_BTW.float(), wanted_BTW, rtol=0.05, atol=0.05)
