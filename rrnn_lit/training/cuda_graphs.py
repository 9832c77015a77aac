"""RecordedAutoencoder: forward and backward as CUDA graphs, one per batch size and length.

At small widths a GPU waits for the host to launch kernels; a recorded graph launches them all at
once. Graphs have fixed shapes, so sentences are padded to a multiple of some words and padded rows
are computed and ignored. Without dropout the results are those of the packed computation; with it
the masks are others.

Shapes: B sentences, T words after padding, N = B T rows, W word_dim.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rrnn_lit.data.loading import Batch
from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.models.packing import Packing
from rrnn_lit.training.reconstruction import look_up
from rrnn_lit.words.nearest import NearestWords


class PaddedAutoencoder(nn.Module):
    """The step that is recorded: nothing in it depends on values on the host.

    Args:
        autoencoder: whose weights are used.
    """

    def __init__(self, autoencoder: SentenceAutoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, words_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return predicted_NW of `Packing.padded`; rows beyond a sentence are meaningless.

        Args:
            words_BTW: word vectors, finite beyond the sentences as well.
            lengths_B: number of words, EOS included, int64, on the device of the words.
        """
        packing = Packing.padded(lengths_B, words_BTW.shape[1])
        return self.autoencoder.reconstruct(packing.pack(words_BTW), packing)


class RecordedAutoencoder:
    """Runs an autoencoder from recorded graphs.

    Args:
        autoencoder: whose weights are used; dropout draws anew at each run.
        multiple: sentences are padded to a multiple of so many words, at least 1.
    """

    def __init__(self, autoencoder: SentenceAutoencoder, multiple: int) -> None:
        self._autoencoder = autoencoder
        self._multiple = multiple
        self._recorded: dict[tuple[int, ...], Callable[..., Any]] = {}

    def num_steps(self, longest: int) -> int:
        """Return the padded length of a batch whose longest sentence has `longest` words."""
        return -(-longest // self._multiple) * self._multiple

    def predict(self, batch: Batch, words: NearestWords) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return word_ids, targets and fp32 predictions of padded rows, and which are words."""
        longest = batch["word_ids_BT"].shape[1]
        num_steps = self.num_steps(longest)
        word_ids_BT = F.pad(batch["word_ids_BT"], (0, num_steps - longest))
        lengths_B = batch["lengths_B"].to(word_ids_BT.device, non_blocking=True)
        packing = Packing.padded(lengths_B, num_steps)
        assert packing.inside_N is not None
        words_BTW = look_up(words, word_ids_BT)
        predicted_NW = self(words_BTW, lengths_B).float()
        rows = packing.pack(word_ids_BT), packing.pack(words_BTW)
        return *rows, predicted_NW, packing.inside_N

    def __call__(self, words_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        """Return what `PaddedAutoencoder` returns; the first call of a shape records it.

        Call it in training mode, on a CUDA device, where autocast is as in every other call.
        """
        shape = tuple(words_BTW.shape)
        device = words_BTW.device.type
        with torch.autocast(
            device,
            dtype=torch.get_autocast_dtype(device),
            enabled=torch.is_autocast_enabled(device),
            cache_enabled=False,  # cached casts of weights would be recorded once for ever
        ):
            if shape not in self._recorded:
                self._recorded[shape] = self._record(words_BTW, lengths_B)
            predicted_NW: Tensor = self._recorded[shape](words_BTW, lengths_B)
            return predicted_NW

    def _record(self, words_BTW: Tensor, lengths_B: Tensor) -> Callable[..., Any]:
        padded = PaddedAutoencoder(self._autoencoder).train()
        # trial runs draw dropout masks: a resumed run, which records at other steps, would differ
        with torch.random.fork_rng(devices=[words_BTW.device]):
            recorded: Callable[..., Any] = torch.cuda.make_graphed_callables(
                padded, (words_BTW.clone(), lengths_B.clone())
            )
        return recorded
