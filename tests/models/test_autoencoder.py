from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.autoencoder import (
    AutoencoderShape,
    SentenceAutoencoder,
    valid_positions,
)
from rrnn_lit.models.initialisation import Initialisation
from rrnn_lit.models.recurrence import FirstStep
from tests.reference import decode_sentence, encode_sentence, run_cell

PAPER = AutoencoderShape(
    word_dim=300,
    hidden_size=10_000,
    sentence_vector_size=None,
    first_step="bias_term",
    dropout=0.5,
    dropout_locked=True,
    dropout_position="output",
)
SMALL = replace(PAPER, word_dim=4, hidden_size=6, sentence_vector_size=5, dropout=0.0)
LENGTHS_B = torch.tensor([3, 7, 1, 5])


def make_model(**changes: Any) -> SentenceAutoencoder:
    """A small float64 model whose biases are not zero."""
    model = SentenceAutoencoder(replace(SMALL, **changes)).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model


def make_words() -> Tensor:
    """Word vectors (4, 7, 4); beyond the lengths they are not zero."""
    return torch.randn(4, 7, 4, dtype=torch.float64)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("hidden_size", "wanted"),
    [
        (10_000, 606_070_300),
        (8_000, 388_856_300),
        (4_096, 103_149_868),
        (2_000, 25_214_300),
        (1_000, 6_607_300),
        (512, 1_883_948),
    ],
)
def test_parameter_counts(hidden_size: int, wanted: int) -> None:
    with torch.device("meta"):
        model = SentenceAutoencoder(replace(PAPER, hidden_size=hidden_size))
    assert count(model) == wanted


def test_parameter_counts_of_the_parts() -> None:
    with torch.device("meta"):
        model = SentenceAutoencoder(PAPER)
    assert count(model.encoder.rnn) == 203_030_000
    assert count(model.encoder) == 303_040_000
    assert count(model.decoder.rnn) == 300_030_000
    assert count(model.decoder.output) == 3_000_300


def test_sentence_vector_size_may_differ_from_the_hidden_size() -> None:
    with torch.device("meta"):
        model = SentenceAutoencoder(replace(PAPER, hidden_size=1_000, sentence_vector_size=200))
    encoder = 2 * 1_000**2 + 300 * 1_000 + 3 * 1_000
    decoder = 2 * 1_000**2 + 200 * 1_000 + 3 * 1_000
    assert count(model) == encoder + (1_000 * 200 + 200) + decoder + (1_000 * 300 + 300)


@pytest.mark.parametrize(
    "changes",
    [
        {"sentence_vector_size": None},
        {"residual": False},
        {"encoder_order": "forward"},
        {"middle_layer": False, "sentence_vector_size": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("first_step", get_args(FirstStep))
def test_equals_loop_reference(first_step: FirstStep, changes: dict[str, Any]) -> None:
    model = make_model(first_step=first_step, **changes)
    words_BTW = make_words()
    predicted_BTW = model(words_BTW, LENGTHS_B)
    vectors_BS = model.encoder(words_BTW, LENGTHS_B)
    for row, length in enumerate(LENGTHS_B.tolist()):
        vector_S = encode_sentence(model, words_BTW[row, :length])
        torch.testing.assert_close(vectors_BS[row], vector_S)
        wanted_TW = decode_sentence(model, vector_S, length)
        torch.testing.assert_close(predicted_BTW[row, :length], wanted_TW)


def test_encoder_sees_the_end_of_the_sentence_first() -> None:
    model = make_model()
    words_TW = torch.randn(5, 4, dtype=torch.float64)
    states_TH = run_cell(model.encoder.rnn, words_TW.flip(0))
    layer = model.encoder.sentence_vector
    wanted_S = torch.tanh(layer(torch.tanh(states_TH[-1])))
    lengths = torch.tensor([5])
    torch.testing.assert_close(model.encoder(words_TW[None], lengths)[0], wanted_S)
    other_S = model.encoder(words_TW.flip(0)[None], lengths)[0]
    assert not torch.allclose(other_S, wanted_S, atol=1e-3)


def test_sentence_alone_equals_sentence_in_batch() -> None:
    model = make_model()
    words_BTW = make_words()
    together_BTW = model(words_BTW, LENGTHS_B)
    for row, length in enumerate(LENGTHS_B.tolist()):
        alone = model(words_BTW[row : row + 1, :length], LENGTHS_B[row : row + 1])
        torch.testing.assert_close(alone[0], together_BTW[row, :length])


def test_order_of_the_batch_and_extra_padding_do_not_matter() -> None:
    model = make_model()
    words_BTW = make_words()
    wanted_BTW = model(words_BTW, LENGTHS_B)
    order = torch.tensor([2, 0, 3, 1])
    padded_BTW = torch.cat([words_BTW[order], make_words()], dim=1)
    predicted_BTW = model(padded_BTW, LENGTHS_B[order])
    torch.testing.assert_close(predicted_BTW[:, :7], wanted_BTW[order])
    assert (predicted_BTW[:, 7:] == 0).all()


@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), 1e300])
def test_content_of_the_padding_does_not_matter(garbage: float) -> None:
    model = make_model()
    words_BTW = make_words()
    wanted_BTW = model(words_BTW, LENGTHS_B)
    wanted = torch.autograd.grad(wanted_BTW.square().sum(), list(model.parameters()))
    words_BTW[~valid_positions(LENGTHS_B, 7)] = garbage
    predicted_BTW = model(words_BTW, LENGTHS_B)
    assert torch.equal(predicted_BTW, wanted_BTW)
    gradients = torch.autograd.grad(predicted_BTW.square().sum(), list(model.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(gradients, wanted, strict=True))


@pytest.mark.parametrize("bias", [0.5, float("inf"), float("nan")])
def test_predictions_beyond_a_sentence_are_exactly_zero(bias: float) -> None:
    model = make_model()
    torch.nn.init.constant_(model.decoder.output.bias, bias)
    predicted_BTW = model(make_words(), LENGTHS_B)
    beyond_BT = ~valid_positions(LENGTHS_B, 7)
    assert (predicted_BTW[beyond_BT] == 0).all()
    assert (predicted_BTW[~beyond_BT] != 0).all()


def test_words_beyond_a_sentence_get_no_gradient() -> None:
    model = make_model()
    words_BTW = make_words().requires_grad_()
    (gradient_BTW,) = torch.autograd.grad(model(words_BTW, LENGTHS_B).sum(), words_BTW)
    valid_BT = valid_positions(LENGTHS_B, 7)
    assert (gradient_BTW[~valid_BT] == 0).all()
    assert (gradient_BTW[valid_BT] != 0).all()


def test_decoder_sees_nothing_but_the_sentence_vector() -> None:
    model = make_model()
    words_BTW = make_words()
    vectors_BS = model.encoder(words_BTW, LENGTHS_B)
    predicted_BTW = model.decoder(vectors_BS, 7)
    valid_BT = valid_positions(LENGTHS_B, 7)
    torch.testing.assert_close(predicted_BTW[valid_BT], model(words_BTW, LENGTHS_B)[valid_BT])
    # and a shorter run is the beginning of a longer one
    torch.testing.assert_close(model.decoder(vectors_BS, 4), predicted_BTW[:, :4])


def test_sentence_vector_is_a_tanh_and_predictions_are_not() -> None:
    model = make_model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(20)
    words_BTW = make_words()
    assert model.encoder(words_BTW, LENGTHS_B).abs().max() <= 1
    assert model(words_BTW, LENGTHS_B).abs().max() > 5


@pytest.mark.parametrize("kind", get_args(Initialisation))
def test_scales_reach_their_matrices_and_biases_are_zero(kind: Initialisation) -> None:
    model = SentenceAutoencoder(replace(PAPER, word_dim=100, hidden_size=300))
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, torch.nan)
    model.initialise(kind, feed_forward_scale=0.08, recurrent_scale=0.5)
    scales = {}
    for name, parameter in model.named_parameters():
        if "bias" in name:
            assert (parameter == 0).all()
        else:
            # a row has 15 values of the scale, or more of the same norm
            scales[name] = float((parameter.square().sum(dim=1).mean() / 15).sqrt().detach())
    assert scales == pytest.approx(
        {
            "encoder.rnn.weight_x": 0.08,
            "encoder.rnn.weight_h": 0.5,
            "encoder.rnn.weight_2": 0.08,
            "encoder.sentence_vector.weight": 0.08,
            "decoder.rnn.weight_x": 0.08,
            "decoder.rnn.weight_h": 0.5,
            "decoder.rnn.weight_2": 0.08,
            "decoder.output.weight": 0.08,
        },
        rel=0.06,  # 100 rows x 15 values in the smallest: standard error 1.8 %
    )


def test_same_seed_same_model_and_another_seed_another() -> None:
    models = []
    for seed in (1234, 1234, 1235):
        torch.manual_seed(seed)
        models.append(SentenceAutoencoder(SMALL))
        models[-1].initialise("sparse", 0.08, 0.05)
    first, second, third = (torch.nn.utils.parameters_to_vector(m.parameters()) for m in models)
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


@pytest.mark.parametrize("name", ["word_dim", "hidden_size", "sentence_vector_size"])
def test_a_size_below_one_is_refused_by_name(name: str) -> None:
    changes: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=rf"model\.{name}: wanted a number of at least 1, got 0"):
        SentenceAutoencoder(replace(SMALL, **changes))


def test_a_dropout_of_one_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"model\.dropout: wanted .* got 1\.0"):
        SentenceAutoencoder(replace(SMALL, dropout=1.0))
