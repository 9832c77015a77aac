"""A model and sentences for `rrnn bench codec`, and the float64 answers it is judged by.

Shapes: B sentences, N words of all sentences, S sentence_vector_size, W word_dim, V vocab_size.
"""

import copy
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from rrnn_lit.bench.match_data import make_dictionary
from rrnn_lit.bench.zipf import draw_word_ids
from rrnn_lit.codec.encoding import padded
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.models.building import autoencoder_of
from rrnn_lit.models.packing import Packing
from rrnn_lit.text.pipeline import TextSettings
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.vectors import WordVectors
from rrnn_lit.words.whitening import Whitening

NUM_COMPARED = 64  # sentences that are computed in float64
_LETTERS = "etaoinshrdlcumwf"
# all that a sentence has besides words of the dictionary: five tokens and the full stop
_AROUND = '{} "{}" it\'s {}, {} ({}) {}.'


def made_up_parts(hidden_size: int, vocab_size: int, word_dim: int, seed: int) -> CodecParts:
    """Return an untrained model over made-up words of letters, all of them known words."""
    torch.manual_seed(seed)
    options = {
        "word_dim": word_dim,
        "hidden_size": hidden_size,
        "sentence_vector_size": None,
        "first_step": "bias_term",
        "dropout": 0.0,
        "dropout_locked": True,
        "dropout_position": "output",
    }
    autoencoder = autoencoder_of(options)
    autoencoder.initialise("sparse", 0.15, 0.1)
    words = [_word(number) for number in range(vocab_size - len(SPECIAL_LABELS))]
    vectors_VW = make_dictionary(vocab_size, word_dim, seed).numpy()
    return CodecParts(
        autoencoder=autoencoder.eval().requires_grad_(False),
        autoencoder_options=options,
        compressor=None,
        compressor_options=None,
        word_vectors=WordVectors([*words, *SPECIAL_LABELS], vectors_VW),
        whitening=Whitening.identity(word_dim),
        text=TextSettings("treebank", 0.0, None, 60),
        facts={"max_words": 60},
        known_words="".join(f"{word}\n" for word in words),
    )


def _word(number: int) -> str:
    """Return a word of five letters, a different one for each number below 16^5."""
    return "".join(_LETTERS[number >> shift & 15] for shift in range(0, 20, 4))


def made_up_sentences(
    parts: CodecParts, num_sentences: int, num_words: int, seed: int
) -> list[str]:
    """Return raw sentences of words by Zipf's law with marks of every kind.

    Args:
        parts: their dictionary's words are used.
        num_sentences: how many.
        num_words: of a sentence, about, the end mark included; at least 16.
        seed: any non-negative integer.
    """
    words = [word for word in parts.word_vectors.words if word.isalpha()]
    number = num_words - 10  # marks, `it's` and the end mark
    drawn = draw_word_ids(len(words), num_sentences * number, np.random.default_rng(seed))
    sentences = []
    for ids in drawn.reshape(num_sentences, number).tolist():
        chosen = [words[i] for i in ids]
        sentences.append(_AROUND.format(*chosen[:5], " ".join(chosen[5:])))
    return sentences


def true_vectors(parts: CodecParts, words: list[list[str]]) -> npt.NDArray[np.float64]:
    """Return sentence vectors in float64."""
    word_ids_BT, lengths_B = padded([parts.word_vectors.encode(sentence) for sentence in words])
    packing = Packing.of(lengths_B, torch.device("cpu"))
    vectors_NW = torch.tensor(parts.word_vectors.vectors_VW)[packing.pack(word_ids_BT)].double()
    encoder = copy.deepcopy(parts.autoencoder).double().encoder
    with torch.no_grad():
        return np.asarray(encoder.encode(vectors_NW, packing).numpy())


def true_words(
    parts: CodecParts, vectors_BS: npt.NDArray[np.float32], lengths: Sequence[int]
) -> list[list[str]]:
    """Return the words of the largest cosines, all in float64, without an EOS at the end."""
    lengths_B = torch.tensor(list(lengths)[: len(vectors_BS)])
    packing = Packing.of(lengths_B, torch.device("cpu"))
    decoder = copy.deepcopy(parts.autoencoder).double().decoder
    words_VW = torch.tensor(parts.word_vectors.vectors_VW).double()
    words_VW /= words_VW.norm(dim=1, keepdim=True)
    with torch.no_grad():
        predicted_NW = decoder.decode(torch.from_numpy(vectors_BS).double(), packing)
        ids_N = torch.cat([(part @ words_VW.T).argmax(dim=1) for part in predicted_NW.split(256)])
    ids_BT = packing.unpack(ids_N, packing.num_steps).tolist()
    found = [
        parts.word_vectors.decode(ids[:length])
        for ids, length in zip(ids_BT, lengths_B.tolist(), strict=True)
    ]
    return [words[:-1] if words[-1] == "EOS" else words for words in found]
