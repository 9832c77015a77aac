"""Training steps of the peers: plain loops around other networks, with the same task.

A step is the whole of it: batch from the store, look-up, forward, match, loss, backward, Adam.

Shapes: B sentences, T words, W word_dim, N words inside the sentences.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rrnn_lit.bench import training_run
from rrnn_lit.bench.autograd_loop import LoopAutoencoder
from rrnn_lit.bench.naive_port import NaiveMatch, NaivePort, masked_loss
from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.loading import Batch
from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder, valid_positions
from rrnn_lit.models.baselines import baseline, equal_parameter_size
from rrnn_lit.models.cells import Cell
from rrnn_lit.training.optimizer import make_adam
from rrnn_lit.training.stopwatch import Stopwatch
from rrnn_lit.words.nearest import NearestWords

Match = Callable[[Tensor, Tensor], Tensor]
_DTYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


@dataclass(frozen=True)
class Block:
    """What some consecutive steps took.

    Attributes:
        seconds: wall time, from one step's batch to the batch behind the last step.
        waiting_seconds: the part spent waiting for batches.
        matching_seconds: the part spent on matching.
    """

    seconds: float
    waiting_seconds: float
    matching_seconds: float


@dataclass(frozen=True)
class PeerNetwork:
    """A network and how it is trained.

    Attributes:
        model: maps (word_vectors_BTW, lengths_B) to predicted_BTW.
        match: tells which predictions (N, W) are nearest to their target ids (N,).
        optimizer: of the model's parameters.
        precision: as the Trainer names it.
        data: where the batches come from.
        by_mask: whether the words to match are picked with bool masks, as a plain port does; the
            host of a GPU waits for them.
    """

    model: nn.Module
    match: Match
    optimizer: torch.optim.Optimizer
    precision: str
    data: SentenceDataModule
    by_mask: bool = False


class PeerTraining:
    """Trains a peer in blocks of steps.

    Args:
        peer: what to train.
        vectors_VW: the dictionary, on the device of the model.
    """

    def __init__(self, peer: PeerNetwork, vectors_VW: Tensor) -> None:
        self._peer = peer
        self._vectors_VW = vectors_VW
        self._device = vectors_VW.device
        self._batches = iter(peer.data.train_dataloader())
        self._scaler = torch.amp.GradScaler(
            self._device.type,
            init_scale=training_run.LOSS_SCALE.init,
            growth_interval=training_run.LOSS_SCALE.growth_interval,
            enabled=peer.precision == "16-mixed",
        )
        self._matching = Stopwatch()

    def run(self, num_steps: int) -> Block:
        """Train for some steps and return what they took."""
        wait_for(self._device)
        start, waiting = time.perf_counter(), 0.0
        for _ in range(num_steps):
            begun = time.perf_counter()
            batch = next(self._batches)
            waiting += time.perf_counter() - begun
            self._step(batch)
        wait_for(self._device)
        return Block(time.perf_counter() - start, waiting, self._matching.take())

    def _step(self, batch: Batch) -> None:
        word_ids_BT = batch["word_ids_BT"].to(self._device, non_blocking=True)
        lengths_B = batch["lengths_B"].to(self._device, non_blocking=True)
        target_BTW = self._vectors_VW[word_ids_BT].float()
        valid_BT = valid_positions(lengths_B, word_ids_BT.shape[1])
        with autocast(self._device, self._peer.precision):
            predicted_BTW = self._peer.model(target_BTW, lengths_B).float()
        with self._matching.measure(self._device):
            predicted = predicted_BTW.detach()
            if self._peer.by_mask:
                matched_BT = match_by_mask(self._peer.match, predicted, word_ids_BT, valid_BT)
            else:
                # the lengths that are still on the host
                matched_BT = match_by_number(
                    self._peer.match, predicted, word_ids_BT, batch["lengths_B"]
                )
        loss = masked_loss(predicted_BTW, target_BTW, valid_BT & ~matched_BT)
        self._peer.optimizer.zero_grad()
        self._scaler.scale(loss).backward()
        self._scaler.step(self._peer.optimizer)
        self._scaler.update()


def match_by_mask(
    match: Match, predicted_BTW: Tensor, word_ids_BT: Tensor, valid_BT: Tensor
) -> Tensor:
    """Return which words are matched, bool (B, T); a GPU tells the host how many there are."""
    matched_BT = torch.zeros_like(valid_BT)
    matched_BT[valid_BT] = match(predicted_BTW[valid_BT], word_ids_BT[valid_BT])
    return matched_BT


def match_by_number(
    match: Match, predicted_BTW: Tensor, word_ids_BT: Tensor, lengths_B: Tensor
) -> Tensor:
    """Return the same from lengths on the host, which then waits for nothing."""
    valid_BT = valid_positions(lengths_B, word_ids_BT.shape[1])
    rows_N = valid_BT.flatten().nonzero().squeeze(1)
    if word_ids_BT.is_cuda:
        rows_N = rows_N.pin_memory()
    rows_N = rows_N.to(word_ids_BT.device, non_blocking=True)
    matched_N = match(
        predicted_BTW.flatten(0, 1).index_select(0, rows_N),
        word_ids_BT.flatten().index_select(0, rows_N),
    )
    none = torch.zeros_like(word_ids_BT, dtype=torch.bool).flatten()
    return none.index_copy(0, rows_N, matched_N).view_as(word_ids_BT)


def wait_for(device: torch.device) -> None:
    """Let the work that was given to a GPU end."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a forward pass has the given precision."""
    dtype = _DTYPES.get(precision)
    return torch.autocast(device.type, dtype or torch.bfloat16, enabled=dtype is not None)


@dataclass(frozen=True)
class Surroundings:
    """What all peers share.

    Attributes:
        autoencoder: our model, whose weights the peers of the same mathematics start with.
        words: the dictionary, on the device of the peers.
        margin: of the match.
        precision: of all peers but the naive port.
        data: batches in the order of ours.
        random_data: random batches, for the naive port.
    """

    autoencoder: SentenceAutoencoder
    words: NearestWords
    margin: float
    precision: str
    data: SentenceDataModule
    random_data: SentenceDataModule


def _fused(model: nn.Module, around: Surroundings) -> PeerNetwork:
    """Return a peer with all that ours has but its network."""
    adam = make_adam(
        model.parameters(),
        training_run.LEARNING_RATE,
        training_run.BETAS,
        training_run.EPS,
        training_run.L2,
    )
    return PeerNetwork(
        model,
        lambda predicted_NW, ids_N: around.words.is_nearest(predicted_NW, ids_N, around.margin),
        adam,
        around.precision,
        around.data,
    )


def copy_of_ours(around: Surroundings) -> SentenceAutoencoder:
    """Return our network on the device of the peers; its gradients all go to `.grad`."""
    word_dim, hidden_size = _sizes(around)
    shape = AutoencoderShape(word_dim, hidden_size, None, "bias_term", 0.0, True, "output")
    copy = SentenceAutoencoder(shape)
    copy.load_state_dict(around.autoencoder.state_dict())
    return copy.to(around.words.vectors_VW.device)


def loop_peer(around: Surroundings) -> PeerNetwork:
    """Return the autograd loop of our own cell."""
    return _fused(LoopAutoencoder(copy_of_ours(around)), around)


def naive_peer(around: Surroundings) -> PeerNetwork:
    """Return the naive port: float32, random batches, argmax of all cosines, torch's own Adam.

    It is spared the worst: cosines of padding are not computed, and one product makes the
    predictions of all steps.
    """
    model = NaivePort(*_sizes(around))
    model.copy_weights(around.autoencoder)
    model.to(around.words.vectors_VW.device)
    adam = torch.optim.Adam(
        model.parameters(),
        lr=training_run.LEARNING_RATE,
        betas=training_run.BETAS,
        eps=training_run.EPS,
        weight_decay=training_run.L2,
    )
    match = NaiveMatch(around.words.vectors_VW)
    return PeerNetwork(model, match, adam, "32-true", around.random_data, by_mask=True)


def baseline_peer(cell: Cell, equal_parameters: bool, around: Surroundings) -> PeerNetwork:
    """Return a GRU or LSTM autoencoder of our width or of our number of parameters."""
    word_dim, hidden_size = _sizes(around)
    if equal_parameters:
        hidden_size = equal_parameter_size(cell, word_dim, hidden_size)
    model = baseline(cell, word_dim, hidden_size).to(around.words.vectors_VW.device)
    return _fused(model, around)


def _sizes(around: Surroundings) -> tuple[int, int]:
    """Return word_dim and hidden_size."""
    hidden_size, word_dim = around.autoencoder.encoder.rnn.weight_x.shape
    return word_dim, hidden_size
