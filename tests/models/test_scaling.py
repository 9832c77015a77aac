import itertools
import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.initialisation import Initialisation
from rrnn_lit.models.losses import reconstruction_loss
from rrnn_lit.models.packing import Packing
from rrnn_lit.models.scaling import Factors, Scaling, width_factors
from rrnn_lit.training.optimizer import make_adam

BASE, WORD_DIM, NUM_WORDS = 64, 16, 6


def build(
    hidden_size: int, scaling: Scaling, init: Initialisation = "sparse"
) -> tuple[SentenceAutoencoder, dict[str, Factors]]:
    torch.manual_seed(0)
    shape = AutoencoderShape(WORD_DIM, hidden_size, None, "bias_term", 0.0, True, "output")
    model = SentenceAutoencoder(shape)
    factors = width_factors(model.named_parameters(), scaling, BASE, hidden_size)
    model.initialise(init, 0.15, 0.1, factors)
    return model, factors


def test_factors_of_a_network_four_times_as_wide() -> None:
    _, factors = build(4 * BASE, "mup")
    hidden, one_summand = Factors(1.0, 0.25, 0.25), Factors(1.0, 1.0, 0.25)
    biases = {name: one_summand for name in factors if "bias" in name}
    assert factors == {
        **biases,
        "encoder.rnn.weight_x": one_summand,
        "encoder.rnn.weight_h": hidden,
        "encoder.rnn.weight_2": hidden,
        "encoder.sentence_vector.weight": hidden,
        "decoder.rnn.weight_x": hidden,
        "decoder.rnn.weight_h": hidden,
        "decoder.rnn.weight_2": hidden,
        "decoder.output.weight": Factors(0.5, 0.25, 1.0),
        "decoder.output.bias": Factors(),
    }


@pytest.mark.parametrize(
    ("hidden_size", "scaling"), [(BASE, "mup"), (4 * BASE, "none")], ids=["base size", "none"]
)
def test_nothing_is_scaled_at_the_base_size_or_without_scaling(
    hidden_size: int, scaling: Scaling
) -> None:
    _, factors = build(hidden_size, scaling)
    assert set(factors.values()) == {Factors()}


def test_only_the_output_matrix_starts_smaller() -> None:
    plain = dict(build(4 * BASE, "none")[0].named_parameters())
    scaled = dict(build(4 * BASE, "mup")[0].named_parameters())
    for name, weight in scaled.items():
        factor = 0.5 if name == "decoder.output.weight" else 1.0
        torch.testing.assert_close(weight, factor * plain[name])


def batches() -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(1)
    words_VW = 0.3 * torch.randn(300, WORD_DIM, generator=generator)
    frequency_V = 1.0 / torch.arange(1.0, 301.0)
    while True:
        ids = torch.multinomial(frequency_V, 16 * NUM_WORDS, True, generator=generator)
        yield words_VW[ids].view(16, NUM_WORDS, WORD_DIM)


@torch.no_grad()
def layers(model: SentenceAutoencoder, words_BTW: Tensor) -> list[Tensor]:
    """Return the encoder's states, sentence vectors, the decoder's states and the output."""
    lengths_B = torch.full((len(words_BTW),), NUM_WORDS)
    packing = Packing.of(lengths_B, torch.device("cpu"))
    vectors_BS = model.encoder(words_BTW, lengths_B)
    return [
        model.encoder.rnn.read_backwards(packing.pack(words_BTW), packing),
        vectors_BS,
        model.decoder.rnn.write(vectors_BS, packing, "states"),
        model.decoder(vectors_BS, NUM_WORDS),
    ]


def changes(hidden_size: int, scaling: Scaling, init: Initialisation) -> list[float]:
    """Return how far ten updates of ADAM move each layer, root mean square over its units."""
    model, factors = build(hidden_size, scaling, init)
    by_parameter = {parameter: factors[name] for name, parameter in model.named_parameters()}
    adam = make_adam(model.parameters(), 5e-4, (0.85, 0.99), 1e-8, 0.0, factors=by_parameter)
    probe_BTW = next(batches())
    before = layers(model, probe_BTW)
    for words_BTW in itertools.islice(batches(), 10):
        predicted_BTW = model(words_BTW, torch.full((16,), NUM_WORDS))
        counted_N = torch.ones(16 * NUM_WORDS, dtype=torch.bool)
        loss = reconstruction_loss(
            predicted_BTW.flatten(0, 1), words_BTW.flatten(0, 1), counted_N, 16, "squared"
        )
        adam.zero_grad()
        loss.backward()
        adam.step()
    pairs = zip(layers(model, probe_BTW), before, strict=True)
    return [math.sqrt(float((after - earlier).square().mean())) for after, earlier in pairs]


@pytest.mark.parametrize("init", ["sparse", "dense"])
def test_updates_move_every_layer_as_far_at_any_width(init: Initialisation) -> None:
    narrow, wide = (changes(size, "mup", init) for size in (4 * BASE, 16 * BASE))
    for one, other in zip(narrow, wide, strict=True):
        # finite widths and one draw of weights: what the width does to `none` is far larger
        assert 0.75 < other / one < 1.33
    narrow, wide = (changes(size, "none", init) for size in (4 * BASE, 16 * BASE))
    assert wide[0] / narrow[0] > 1.4
    assert wide[2] / narrow[2] > 1.4
