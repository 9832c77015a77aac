"""How far loss and gradients of the networks that compute the same lie from float64.

All words of one batch enter the loss: match drop is a decision, not a matter of rounding. Ours
and the autograd loop are held against the naive port in float64, the naive port against ours in
float64, so that nothing is its own judge.

Shapes: B sentences, T words, W word_dim.
"""

import copy
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from rrnn_lit.bench.autograd_loop import LoopAutoencoder
from rrnn_lit.bench.errors import norm_error, verdict
from rrnn_lit.bench.naive_port import NaivePort, masked_loss
from rrnn_lit.bench.step_peers import PeerNetwork, Surroundings, autocast, copy_of_ours
from rrnn_lit.bench.training_run import LOSS_SCALE, NUMBER_FORMAT
from rrnn_lit.models.autoencoder import SentenceAutoencoder, valid_positions

OTHER_MODEL = "other model"
_FLOAT64 = "64-true"


class Evaluation(NamedTuple):
    """Loss and gradients, these under the names of `SentenceAutoencoder`'s parameters."""

    loss: float
    gradients: dict[str, Tensor]


class Sentences(NamedTuple):
    """A batch on the device: `word_vectors_BTW` fp32 and `lengths_B`."""

    word_vectors_BTW: Tensor
    lengths_B: Tensor


def describe_errors(peers: Mapping[str, PeerNetwork], around: Surroundings) -> dict[str, str]:
    """Return for `ours` and each peer how exact it is; another kind of network says so."""
    vectors_VW = around.words.vectors_VW
    batch = next(iter(around.data.train_dataloader()))
    word_ids_BT, lengths_B = (batch[n].to(vectors_VW.device) for n in ("word_ids_BT", "lengths_B"))
    sentences = Sentences(vectors_VW[word_ids_BT].float(), lengths_B)
    ours = copy_of_ours(around)
    naive = NaivePort(vectors_VW.shape[1], ours.encoder.rnn.hidden_size).to(vectors_VW.device)
    naive.copy_weights(ours)
    by_naive = evaluate(naive.double(), sentences, _FLOAT64)
    by_ours = evaluate(copy.deepcopy(ours).double(), sentences, _FLOAT64)
    found = evaluate(ours, sentences, around.precision)
    described = {"ours": describe(found, by_naive, NUMBER_FORMAT[around.precision])}
    for name, peer in peers.items():
        if isinstance(peer.model, NaivePort | LoopAutoencoder):
            truth = by_ours if isinstance(peer.model, NaivePort) else by_naive
            found = evaluate(peer.model, sentences, peer.precision)
            described[name] = describe(found, truth, NUMBER_FORMAT[peer.precision])
        else:
            described[name] = OTHER_MODEL
    return described


def evaluate(model: nn.Module, sentences: Sentences, precision: str) -> Evaluation:
    """Return loss and gradients of a batch; the model keeps no gradient.

    Args:
        model: a SentenceAutoencoder, LoopAutoencoder or NaivePort.
        sentences: the batch.
        precision: as the Trainer names it, or `64-true` for a model in float64.
    """
    words_BTW, lengths_B = sentences
    if precision == _FLOAT64:
        words_BTW = words_BTW.double()
    with autocast(words_BTW.device, precision):
        predicted_BTW = model(words_BTW, lengths_B)
    predicted_BTW = predicted_BTW.to(words_BTW.dtype)
    valid_BT = valid_positions(lengths_B, words_BTW.shape[1])
    loss = masked_loss(predicted_BTW, words_BTW, valid_BT)
    scale = LOSS_SCALE.init if precision == "16-mixed" else 1.0
    (scale * loss).backward()
    gradients = {name: g.double() / scale for name, g in _gradients(model).items()}
    model.zero_grad(set_to_none=True)
    return Evaluation(float(loss.detach()), gradients)


def _gradients(model: nn.Module) -> dict[str, Tensor]:
    if isinstance(model, NaivePort):
        return model.gradients()
    autoencoder = model.autoencoder if isinstance(model, LoopAutoencoder) else model
    assert isinstance(autoencoder, SentenceAutoencoder)
    return {n: p.grad for n, p in autoencoder.named_parameters() if p.grad is not None}


def describe(found: Evaluation, truth: Evaluation, precision: str) -> str:
    """Return the relative errors of loss and worst gradient, `wrong` if rounding is no excuse.

    Args:
        found: what is judged.
        truth: in float64.
        precision: number format in which `found` was computed.

    Raises:
        KeyError: a parameter of the truth got no gradient.
    """
    loss = abs(found.loss - truth.loss) / abs(truth.loss)
    gradient = norm_error([found.gradients[n] for n in truth.gradients], truth.gradients.values())
    return f"loss {loss:.0e}, gradient {gradient:.0e} off{verdict(precision, loss, gradient)}"
