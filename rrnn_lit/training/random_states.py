"""RandomStates: the random states of every process, in checkpoints and back."""

import hashlib
import json
import random
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import distributed

from rrnn_lit.training.gathering import gather_texts, is_one_of_several

State = dict[str, Any]


class RandomStates(Callback):
    """Puts the random states of torch, numpy and python of all processes into checkpoints.

    Without it a resumed run draws other dropout masks than an uninterrupted one. Every process
    gets its own states back. A run that goes on with fewer processes leaves the further states
    out; with more, each new process draws from a seed made of the first one's state and its own
    number. The batches are the same in both cases, the dropout masks are not.
    """

    def __init__(self) -> None:
        self._restored: list[State] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the states as tensors and plain lists; all processes must call it together."""
        return {"ranks": [_decode(text) for text in gather_texts(_encode(_take()))]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the states for the start of training: setting up draws numbers as well."""
        # one process of an earlier version has them without the list
        self._restored = state_dict.get("ranks", [state_dict])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restore the states of this process."""
        if self._restored is None:
            return
        states, self._restored = self._restored, None
        rank = distributed.get_rank() if is_one_of_several() else 0
        if rank < len(states):
            _restore(states[rank])
        else:
            _seed(states[0], rank)


def _take() -> State:
    """Return the states of this process; of GPUs, that of the one it trains on."""
    kind, words, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    version, internal, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": [torch.cuda.get_rng_state()] if torch.cuda.is_initialized() else [],
        "numpy": [kind, np.asarray(words).tolist(), position, has_gauss, cached],
        "python": [version, list(internal), gauss],
    }


def _restore(state: State) -> None:
    torch.set_rng_state(state["torch"].cpu())
    if state["cuda"] and torch.cuda.is_available():
        own = torch.cuda.current_device() if len(state["cuda"]) > 1 else 0  # of all GPUs, once
        torch.cuda.set_rng_state(state["cuda"][own].cpu())
    kind, words, *rest = state["numpy"]
    np.random.set_state((kind, np.array(words, dtype=np.uint32), *rest))  # noqa: NPY002
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))


def _seed(state: State, rank: int) -> None:
    known = bytes(state["torch"].cpu().tolist()) + str(rank).encode()
    seed = int.from_bytes(hashlib.sha256(known).digest()[:7])
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


def _encode(state: State) -> bytes:
    plain = {
        **state,
        "torch": state["torch"].tolist(),
        "cuda": [gpu.tolist() for gpu in state["cuda"]],
    }
    return json.dumps(plain).encode()


def _decode(text: bytes) -> State:
    plain = json.loads(text)
    tensors = {
        "torch": torch.tensor(plain["torch"], dtype=torch.uint8),
        "cuda": [torch.tensor(gpu, dtype=torch.uint8) for gpu in plain["cuda"]],
    }
    return {**plain, **tensors}
