"""SentenceCodec: text to sentence vectors and back, with nothing but a bundle.

Every sentence gets a vector: an empty one that of the end mark alone, unknown words that of UNK, a
sentence of another language or script that of its Latin spelling. Nothing is cut or left out; a
sentence longer than those of the training is an error unless `longer="encode"` is given.

A sentence's vector does not depend on the sentences beside it, up to the last bits of its numbers.

Shapes: B sentences, S sentence_vector_size, C compressed size.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rrnn_lit.codec.bundle import read_bundle
from rrnn_lit.codec.checks import (
    at_least_one,
    check_codes,
    check_num_words,
    check_sentences,
    check_vectors,
    check_word_lists,
    in_format,
)
from rrnn_lit.codec.decoding import decode_given, decode_until_end
from rrnn_lit.codec.encoding import encode_ids
from rrnn_lit.codec.network import Network, Precision
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.codec.reconstruction import Reconstructed, reconstruct_ids
from rrnn_lit.codec.rows import DEFAULT_BATCH_SIZE, RowError
from rrnn_lit.codec.sentence_words import SentenceWords
from rrnn_lit.models.compressor import Compressor
from rrnn_lit.models.quantisation import INTEGER_BITS, dequantise, quantise
from rrnn_lit.text.detokenize import detokenize

Longer = Literal["error", "encode"]
VectorFormat = Literal["float32", "float16"]


class SentenceCodec:
    """A trained model that encodes and decodes sentences.

    Args:
        parts: what a bundle holds; it is not changed.
        device: `cpu`, `cuda` or `cuda:1`.
        dtype: precision of the products. `auto`: float32 on a CPU, float16 on a CUDA device.
            bfloat16 is fastest on a CPU that has it, see `rrnn bench codec`.

    Raises:
        ValueError: no such device or precision.
    """

    def __init__(
        self,
        parts: CodecParts,
        device: str | torch.device = "cpu",
        dtype: Precision = "auto",
    ) -> None:
        self.parts = parts
        self._network = Network(parts, device, dtype)

    @classmethod
    def load(
        cls,
        path: str | Path,
        device: str | torch.device = "cpu",
        dtype: Precision = "auto",
    ) -> "SentenceCodec":
        """Return the codec of a bundle folder, every byte of which is checked.

        Raises:
            ValueError: it is no bundle or a damaged one; no such device or precision.
        """
        return cls(read_bundle(Path(path)), device, dtype)

    @property
    def sentence_vector_size(self) -> int:
        """Length S of a sentence vector."""
        return self._network.sentence_vector_size

    @property
    def max_words(self) -> int:
        """Number of words of the longest training sentence, EOS included."""
        return self.parts.max_words

    @cached_property
    def _sentence_words(self) -> SentenceWords:
        parts = self.parts
        return SentenceWords(parts.text, parts.known_words, parts.whole_phrases, parts.corrections)

    def words(self, sentences: Sequence[str]) -> list[list[str]]:
        """Return the words of each sentence as for training, without EOS.

        Raises:
            ValueError: not a list of texts, or the tokenizer's package is not installed.
        """
        return [self._sentence_words(sentence) for sentence in check_sentences(sentences)]

    def encode(
        self,
        sentences: Sequence[str],
        batch_size: int = DEFAULT_BATCH_SIZE,
        vectors: VectorFormat = "float32",
        longer: Longer = "error",
    ) -> npt.NDArray[Any]:
        """Return one vector a sentence, (B, S), in the given order.

        Args:
            sentences: raw text; a line break in it is a blank.
            batch_size: most sentences computed at once, at least 1.
            vectors: format of the result.
            longer: what to do with sentences longer than `max_words`.

        Raises:
            ValueError: not a list of texts, an option out of range, or a sentence is too long.
        """
        return self.encode_words(self.words(sentences), batch_size, vectors, longer)

    def encode_words(
        self,
        sentences: Sequence[Sequence[str]],
        batch_size: int = DEFAULT_BATCH_SIZE,
        vectors: VectorFormat = "float32",
        longer: Longer = "error",
    ) -> npt.NDArray[Any]:
        """Return the same for sentences that are lists of words, without EOS."""
        if vectors not in ("float32", "float16"):
            raise ValueError(f"vectors: wanted float32 or float16, got {vectors!r}")
        at_least_one("batch_size", batch_size)
        ids = self._word_ids(check_word_lists(sentences), longer)
        return in_format(encode_ids(self._network, ids, batch_size), vectors, "sentences")

    def _word_ids(self, sentences: Sequence[Sequence[str]], longer: Longer) -> list[list[int]]:
        if longer not in ("error", "encode"):
            raise ValueError(f"longer: wanted error or encode, got {longer!r}")
        ids = [self.parts.word_vectors.encode(words) for words in sentences]
        for row, sentence in enumerate(ids):
            if longer == "error" and len(sentence) > self.max_words:
                raise RowError(
                    "sentences",
                    row,
                    f"wanted at most {self.max_words} words, the end mark included, got "
                    f'{len(sentence)}; longer="encode" encodes it all the same',
                )
        return ids

    def decode(
        self,
        vectors: npt.ArrayLike | Tensor,
        num_words: Sequence[int] | None = None,
        max_steps: int | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
    ) -> list[str]:
        """Return one text a vector; see `decode_words` for the arguments.

        Number words and accents are those of the words, see `text/detokenize.py`.
        """
        found = self.decode_words(vectors, num_words, max_steps, batch_size)
        return [detokenize(words) for words in found]

    def decode_words(
        self,
        vectors: npt.ArrayLike | Tensor,
        num_words: Sequence[int] | None = None,
        max_steps: int | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
    ) -> list[list[str]]:
        """Return the decoded words of each vector, whoever made it.

        A sentence ends before its first decoded EOS, or after `max_steps` words. A predicted
        vector without direction, which no word is nearest to, counts as UNK.

        Args:
            vectors: (B, S) of any floating format; any finite values, zeros too.
            num_words: number of words of each sentence, EOS included: so many are decoded (the
                paper's way), and only an EOS at the very end is left out.
            max_steps: most words of a sentence; None means `max_words`.
            batch_size: most vectors computed at once, at least 1.

        Raises:
            ValueError: another shape or kind of array, a NaN or infinity, or an option out of
                range.
        """
        vectors_BS = torch.from_numpy(check_vectors(vectors, self.sentence_vector_size))
        steps = at_least_one("max_steps", self.max_words if max_steps is None else max_steps)
        at_least_one("batch_size", batch_size)
        eos_id = self.parts.word_vectors.eos_id
        if num_words is not None:
            lengths_B = check_num_words(num_words, len(vectors_BS))
            ids = decode_given(self._network, vectors_BS, lengths_B, batch_size)
            ids = [found[:-1] if found[-1] == eos_id else found for found in ids]
        else:
            ids = [
                found
                for batch_BS in vectors_BS.split(batch_size)
                for found in decode_until_end(self._network, batch_BS, eos_id, steps)
            ]
        words, unk_id = self.parts.word_vectors.words, self.parts.word_vectors.unk_id
        return [[words[i if i >= 0 else unk_id] for i in found] for found in ids]

    def compress(self, vectors: npt.ArrayLike | Tensor) -> npt.NDArray[Any]:
        """Return compressed vectors: float16 (B, C), or uint8 where the compressor has few bits.

        Raises:
            ValueError: there is no compressor, bad vectors, see `decode_words`, or such large ones
                that float16 cannot hold the result.
        """
        compressor = self._compressor()
        vectors_BS = torch.from_numpy(check_vectors(vectors, self.sentence_vector_size))
        compressed_BC = self._network.compress(vectors_BS)
        if compressor.shape.bits in INTEGER_BITS:
            return quantise(compressed_BC, compressor.shape.bits).numpy()
        return in_format(compressed_BC.numpy(), np.float16, "vectors")

    def decompress(self, codes: npt.ArrayLike | Tensor) -> npt.NDArray[np.float32]:
        """Return sentence vectors, (B, S), of what `compress` returned.

        Raises:
            ValueError: there is no compressor, or codes of another kind or width.
        """
        bits = self._compressor().shape.bits
        size = self._compressor().shape.compressed_size
        if bits in INTEGER_BITS:
            stored = torch.from_numpy(check_codes(codes, size * bits // 8))
            return self._network.decompress(dequantise(stored, bits)).numpy()
        compressed_BC = torch.from_numpy(check_vectors(codes, size, "codes"))
        return self._network.decompress(compressed_BC).numpy()

    def reconstruct(
        self,
        sentences: Sequence[str],
        compressed: bool = False,
        batch_size: int = DEFAULT_BATCH_SIZE,
        longer: Longer = "error",
    ) -> list[Reconstructed]:
        """Return each sentence beside what its vector is decoded to at the sentence's length.

        Args:
            sentences: raw text.
            compressed: decode the vectors that come back from the compressor.
            batch_size: most sentences computed at once, at least 1.
            longer: as for `encode`.

        Raises:
            ValueError: as for `encode`; compressed vectors without a compressor.
        """
        at_least_one("batch_size", batch_size)
        if compressed:
            self._compressor()
        ids = self._word_ids(self.words(sentences), longer)
        between = self._there_and_back if compressed else None
        return reconstruct_ids(self._network, self.parts.word_vectors, ids, batch_size, between)

    def _there_and_back(self, vectors_BS: Tensor) -> Tensor:
        return torch.from_numpy(self.decompress(self.compress(vectors_BS)))

    def _compressor(self) -> Compressor:
        if self.parts.compressor is None:
            raise ValueError("compressor: wanted a bundle with one, got a bundle without")
        return self.parts.compressor
