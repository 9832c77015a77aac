"""Network: encoder, decoder and compressor of a bundle on one device in one precision.

Shapes: B sentences, T words of the longest, N words of all sentences, W word_dim,
S sentence_vector_size, C compressed size.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.models.devices import device_of
from rrnn_lit.models.packing import Packing
from rrnn_lit.words.nearest import NearestWords

Precision = Literal["auto", "float32", "bfloat16", "float16"]
# A product of fewer rows adds up in another order (MKL, fp32), and the last bits of a sentence's
# vector would depend on how many sentences are beside it.
_FEWEST_ROWS = 4
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Network:
    """The trained networks, ready to compute.

    Products run in the chosen precision with weights that are cast once; states of the recurrence
    stay fp32. The compressor is always fp32: two products, whose rounding would be stored.

    Args:
        parts: of a bundle; they are not changed.
        device: as torch names it.
        dtype: `auto` is float32 on a CPU and float16 on a CUDA device.

    Raises:
        ValueError: there is no such device or precision.
    """

    def __init__(self, parts: CodecParts, device: str | torch.device, dtype: str) -> None:
        self.device = device_of(device)
        self.dtype = _dtype_of(dtype, self.device)
        self._autoencoder = _placed(parts.autoencoder, self.device, self.dtype)
        self.sentence_vector_size = parts.sentence_vector_size
        self._compressor = parts.compressor
        if self._compressor is not None and self.device.type != "cpu":
            self._compressor = copy.deepcopy(self._compressor).to(self.device)
        # a copy: the stored matrix may be a read-only file
        self.words = NearestWords(torch.tensor(parts.word_vectors.vectors_VW)).to(self.device)

    def encode(self, word_ids_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """Return sentence_vector_BS, fp32 on the host.

        Args:
            word_ids_BT: the words of each sentence, EOS last; anything beyond its length.
            lengths_B: number of words, at least 1, int64 on the host.
        """
        num_sentences = len(lengths_B)
        rows = _with_copies(lengths_B)
        with self._computing():
            packing = Packing.of(lengths_B[rows], self.device)
            word_ids_N = packing.pack(word_ids_BT[rows].to(self.device))
            word_vectors_NW = self.words.vectors_VW[word_ids_N].to(self.dtype)
            vectors_BS = self._autoencoder.encoder.encode(word_vectors_NW, packing)
            return vectors_BS[:num_sentences].float().cpu()

    def decode(self, sentence_vector_BS: Tensor, lengths_B: Tensor) -> tuple[Tensor, Packing]:
        """Return packed predicted_NW, fp32 on the device, for so many words of each sentence."""
        rows = _with_copies(lengths_B)
        with self._computing():
            packing = Packing.of(lengths_B[rows], self.device)
            inputs_BS = sentence_vector_BS[rows].to(self.device, self.dtype)
            predicted_NW = self._autoencoder.decoder.decode(inputs_BS, packing)
            # copies are behind what they are copies of: the other rows are packed without them
            own_N = packing.order_B[packing.ranks_N] < len(lengths_B)
            return predicted_NW[own_N].float(), Packing.of(lengths_B, self.device)

    def compress(self, sentence_vector_BS: Tensor) -> Tensor:
        """Return compressed_BC, fp32 on the host; there must be a compressor."""
        assert self._compressor is not None
        return self._by_rows(self._compressor.compress, sentence_vector_BS)

    def decompress(self, compressed_BC: Tensor) -> Tensor:
        """Return sentence_vector_BS, fp32 on the host; there must be a compressor."""
        assert self._compressor is not None
        return self._by_rows(self._compressor.decompress, compressed_BC)

    def _by_rows(self, function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
        missing = max(0, _FEWEST_ROWS - len(rows))
        padded = torch.cat([rows, rows.new_zeros(missing, rows.shape[1])])
        with torch.inference_mode():
            return function(padded.to(self.device))[: len(rows)].float().cpu()

    @contextmanager
    def _computing(self) -> Iterator[None]:
        # autocast for what has no weights of its own and for biases, which stay fp32
        mixed = torch.autocast(
            self.device.type, self.dtype, enabled=self.dtype != torch.float32, cache_enabled=False
        )
        with torch.inference_mode(), mixed:
            yield


def _with_copies(lengths_B: Tensor) -> Tensor:
    """Return the rows of a batch and copies of its longest, so that each step has enough rows."""
    rows_B = torch.arange(len(lengths_B))
    return torch.cat([rows_B, lengths_B.argmax().expand(_FEWEST_ROWS - 1)])


def _placed(
    network: SentenceAutoencoder, device: torch.device, dtype: torch.dtype
) -> SentenceAutoencoder:
    """Return the network, or a copy of it, on a device with matrices of a precision."""
    if dtype == torch.float32 and device.type == "cpu":
        return network
    network = copy.deepcopy(network)
    for module in network.modules() if dtype != torch.float32 else ():
        if isinstance(module, nn.RNNBase):
            module.to(dtype)  # its kernels want one precision for all
        elif not isinstance(module, nn.MultiheadAttention | nn.LayerNorm):
            for weight in module.parameters(recurse=False):
                if weight.dim() > 1:
                    weight.data = weight.data.to(dtype)
    return network.to(device)


def _dtype_of(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if name not in _DTYPES:
        raise ValueError(f"dtype: wanted auto, float32, bfloat16 or float16, got {str(name)!r}")
    return _DTYPES[name]
