"""The ports that ours is timed against compute the same.

Shapes: B sentences, T words, W word_dim, H hidden_size, N predictions, V vocab_size.
"""

import pytest
import torch
from torch import Tensor, nn

from rrnn_lit.bench.autograd_loop import LoopAutoencoder
from rrnn_lit.bench.naive_port import NaiveMatch, NaivePort, masked_loss
from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder, valid_positions
from rrnn_lit.words.nearest import NearestWords

LENGTHS = torch.tensor([4, 1, 3])


def make_autoencoder() -> SentenceAutoencoder:
    shape = AutoencoderShape(5, 7, None, "bias_term", 0.0, True, "output")
    autoencoder = SentenceAutoencoder(shape).double()
    for parameter in autoencoder.parameters():  # biases too: zeros would hide a wrong place
        nn.init.normal_(parameter, std=0.5)
    return autoencoder


def loss_of(model: nn.Module, words_BTW: Tensor) -> Tensor:
    valid_BT = valid_positions(LENGTHS, words_BTW.shape[1])
    loss = masked_loss(model(words_BTW, LENGTHS), words_BTW, valid_BT)
    loss.backward()
    return loss.detach()


def gradients_of(autoencoder: SentenceAutoencoder) -> dict[str, Tensor]:
    return {n: p.grad for n, p in autoencoder.named_parameters() if p.grad is not None}


def test_naive_port_equals_ours_in_predictions_loss_and_gradients() -> None:
    autoencoder = make_autoencoder()
    naive = NaivePort(5, 7).double()
    naive.copy_weights(autoencoder)
    words_BTW = torch.randn(3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(naive(words_BTW, LENGTHS), autoencoder(words_BTW, LENGTHS))
    torch.testing.assert_close(loss_of(naive, words_BTW), loss_of(autoencoder, words_BTW))
    assert len(naive.gradients()) == len(list(autoencoder.parameters()))
    torch.testing.assert_close(naive.gradients(), gradients_of(autoencoder))


def test_naive_port_has_our_number_of_parameters() -> None:
    naive = sum(p.numel() for p in NaivePort(5, 7).parameters())
    assert naive == sum(p.numel() for p in make_autoencoder().parameters())


def test_loop_equals_ours_in_predictions_loss_and_gradients() -> None:
    autoencoder, looped = make_autoencoder(), make_autoencoder()
    looped.load_state_dict(autoencoder.state_dict())
    loop = LoopAutoencoder(looped)
    words_BTW = torch.randn(3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(loop(words_BTW, LENGTHS), autoencoder(words_BTW, LENGTHS))
    torch.testing.assert_close(loss_of(loop, words_BTW), loss_of(autoencoder, words_BTW))
    torch.testing.assert_close(gradients_of(looped), gradients_of(autoencoder))


@pytest.mark.parametrize("noise", [0.1, 1.0, 10.0])
def test_naive_match_equals_ours_where_no_words_tie(noise: float) -> None:
    vectors_VW = torch.randn(200, 8)
    target_ids_N = torch.arange(200)
    predicted_NW = vectors_VW + noise * torch.randn(200, 8)
    matched_N = NaiveMatch(vectors_VW)(predicted_NW, target_ids_N)
    assert matched_N.any()
    assert torch.equal(NearestWords(vectors_VW).is_nearest(predicted_NW, target_ids_N), matched_N)
