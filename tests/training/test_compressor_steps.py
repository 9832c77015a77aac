import copy
from typing import Any

import pytest
import torch

from rrnn_lit.data.vector_datamodule import VectorBatch
from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.models.building import autoencoder_of
from rrnn_lit.models.compressor import compressor_of
from rrnn_lit.models.packing import Packing
from rrnn_lit.training.compressor_steps import CompressorSteps
from rrnn_lit.training.frozen_autoencoder import FrozenAutoencoder
from rrnn_lit.training.monitor import TrainingMonitor
from rrnn_lit.words.nearest import NearestWords

AUTOENCODER: dict[str, Any] = {
    "word_dim": 5,
    "hidden_size": 7,
    "sentence_vector_size": None,
    "first_step": "bias_term",
    "dropout": 0.5,
    "dropout_locked": True,
    "dropout_position": "output",
}
COMPRESSOR = {"sentence_vector_size": 7, "compressed_size": 4, "activation": "tanh", "bits": 32}
OPTIONS = {"loss": "words", "match_drop": 1.0, "match_margin": 0.0}


def new_autoencoder() -> SentenceAutoencoder:
    autoencoder = autoencoder_of(AUTOENCODER)
    autoencoder.initialise("dense", 0.5, 0.5)
    return autoencoder


def make_steps(autoencoder: SentenceAutoencoder, **options: Any) -> CompressorSteps:
    compressor = compressor_of(COMPRESSOR)
    compressor.initialise("dense", 0.5)
    words = NearestWords(torch.randn(9, 5).half())
    frozen = FrozenAutoencoder(autoencoder)
    return CompressorSteps(compressor, frozen, words, TrainingMonitor(), {**OPTIONS, **options})


def some_batch() -> VectorBatch:
    lengths_B = torch.tensor([4, 2, 5])
    word_ids_BT = torch.randint(9, (3, 5))
    word_ids_BT[torch.arange(5) >= lengths_B[:, None]] = 0
    return {
        "word_ids_BT": word_ids_BT,
        "lengths_B": lengths_B,
        "sentence_numbers_B": torch.arange(3),
        "batch_number": 0,
        "num_sentences": 3,
        "loss_share": 1.0,
    }


def gradients(steps: CompressorSteps, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    steps.compressor.zero_grad()
    loss.backward()
    named = steps.compressor.named_parameters()
    return {name: p.grad.clone() for name, p in named if p.grad is not None}


@pytest.mark.parametrize("match_drop", [0.0, 1.0])
def test_loss_of_words_is_that_of_a_decoder_with_gradients(match_drop: float) -> None:
    autoencoder = new_autoencoder()
    # in evaluation mode: the frozen one drops no units either
    trainable = copy.deepcopy(autoencoder).eval()
    steps, batch = make_steps(autoencoder, match_drop=match_drop), some_batch()
    packing = steps.packing(batch)
    loss, dropped = steps.loss(batch, packing, logs=True)
    got = gradients(steps, loss)

    word_ids_N = packing.pack(batch["word_ids_BT"])
    target_NW = steps.words.vectors_VW[word_ids_N].float()
    with torch.no_grad():
        vectors_BS = trainable.encoder.encode(target_NW, packing)
    predicted_NW = trainable.decoder.decode(steps.compressor(vectors_BS), packing)
    matched_N = steps.words.is_nearest(predicted_NW.detach(), word_ids_N)
    kept_N = ~matched_N | (match_drop == 0)
    wanted_loss = 0.5 * (predicted_NW - target_NW)[kept_N].square().sum() / 3
    wanted = gradients(steps, wanted_loss)

    torch.testing.assert_close(loss, wanted_loss)
    assert int(dropped) == int((~kept_N).sum())
    steps.monitor.add_step(3, loss.detach(), len(matched_N), dropped)
    rate = steps.monitor.take()["train/matched_word_rate"]
    assert rate == pytest.approx(float(matched_N.float().mean()))
    assert got.keys() == wanted.keys() == dict(steps.compressor.named_parameters()).keys()
    for name, gradient in wanted.items():
        torch.testing.assert_close(got[name], gradient)
    assert all(p.grad is None for p in autoencoder.parameters())


@pytest.mark.parametrize("cell", ["gru", "lstm", "tanh"])
def test_layers_of_torch_can_pass_gradients_back_on_any_device(cell: str) -> None:
    frozen = FrozenAutoencoder(autoencoder_of({**AUTOENCODER, "cell": cell}))
    layers = [m for m in frozen.network.modules() if isinstance(m, torch.nn.RNNBase)]
    # cuDNN refuses in evaluation mode
    assert [layer.training for layer in layers] == [True, True]
    assert not frozen.network.decoder.activation.training


def test_a_margin_keeps_words_that_hardly_match() -> None:
    steps, batch = make_steps(new_autoencoder(), match_margin=2.0), some_batch()
    _, dropped = steps.loss(batch, steps.packing(batch), logs=False)
    assert int(dropped) == 0


def test_stored_vectors_take_the_place_of_the_encoder() -> None:
    steps, batch = make_steps(new_autoencoder()), some_batch()
    batch["sentence_vector_BS"] = torch.full((3, 7), 0.25, dtype=torch.float16)
    vectors_BS = steps.vectors(batch, steps.packing(batch))
    assert vectors_BS.dtype == torch.float32
    assert (vectors_BS == 0.25).all()


def test_reconstruction_goes_through_the_compressed_vector() -> None:
    steps, batch = make_steps(new_autoencoder()), some_batch()
    packing = Packing.of(batch["lengths_B"], torch.device("cpu"))
    vectors_BS = steps.vectors(batch, packing)
    with torch.no_grad():
        output = steps.reconstruct(batch, packing, vectors_BS)
        plain = steps.plain(batch, packing, steps.compressor(vectors_BS))
    assert torch.equal(output["compressed_BC"], steps.compressor.compress(vectors_BS))
    for name in ("predicted_BTW", "sentence_vector_BS"):
        assert torch.equal(output[name], plain[name])
    assert torch.equal(output["decoded"].matched_BT, plain["decoded"].matched_BT)
