"""Reconstruction of a batch outside training: encode, decode, find the nearest words.

Shapes: B sentences, T words of the longest, N words of all sentences, W word_dim,
S sentence_vector_size.
"""

from typing import TypedDict

import torch
from torch import Tensor

from rrnn_lit.data.loading import Batch
from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.models.packing import Packing
from rrnn_lit.words.counting import Decoded
from rrnn_lit.words.nearest import NearestWords


class EvaluationOutput(TypedDict):
    """What an evaluation step hands to callbacks: the counts' input and the raw predictions."""

    decoded: Decoded
    predicted_BTW: Tensor
    sentence_vector_BS: Tensor


def reconstruct(
    autoencoder: SentenceAutoencoder, words: NearestWords, batch: Batch
) -> EvaluationOutput:
    """Return sentence vectors and decoded words of a batch; vectors in fp32."""
    packing = Packing.of(batch["lengths_B"], batch["word_ids_BT"].device)
    word_vectors_NW = look_up(words, packing.pack(batch["word_ids_BT"]))
    sentence_vector_BS = autoencoder.encoder.encode(word_vectors_NW, packing)
    return decode_words(autoencoder, words, batch, packing, sentence_vector_BS)


def decode_words(
    autoencoder: SentenceAutoencoder,
    words: NearestWords,
    batch: Batch,
    packing: Packing,
    sentence_vector_BS: Tensor,
) -> EvaluationOutput:
    """Return what the decoder makes of sentence vectors, beside the sentences of the batch."""
    word_ids_BT = batch["word_ids_BT"]
    num_steps = word_ids_BT.shape[1]
    predicted_NW = autoencoder.decoder.decode(sentence_vector_BS, packing).float()
    decoded_N = words.nearest_word_ids(predicted_NW)
    matched_N = words.is_nearest(predicted_NW, packing.pack(word_ids_BT))
    decoded = Decoded(
        word_ids_BT,
        packing.unpack(decoded_N, num_steps, fill=-1),
        packing.unpack(matched_N, num_steps, fill=False),
        batch["lengths_B"].to(word_ids_BT.device),
    )
    return EvaluationOutput(
        decoded=decoded,
        predicted_BTW=packing.unpack(predicted_NW, num_steps),
        sentence_vector_BS=sentence_vector_BS.float(),
    )


def look_up(words: NearestWords, word_ids: Tensor) -> Tensor:
    """Return the fp32 word vectors of word_ids, one more dimension."""
    return words.vectors_VW[word_ids].to(torch.float32)
