"""A tiny model with everything that belongs to it, untrained: for tests of bundles and codecs."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.models.building import autoencoder_of
from rrnn_lit.models.compressor import Compressor, compressor_of
from rrnn_lit.text.pipeline import TextSettings
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.vectors import WordVectors
from rrnn_lit.words.whitening import Whitening

OPTIONS: dict[str, Any] = {
    "word_dim": 16,
    "hidden_size": 20,
    "sentence_vector_size": 24,
    "first_step": "bias_term",
    "dropout": 0.0,
    "dropout_locked": True,
    "dropout_position": "output",
}
COMPRESSOR_OPTIONS: dict[str, Any] = {
    "sentence_vector_size": 24,
    "compressed_size": 8,
    "activation": "tanh",
}
MAX_WORDS = 12


def tiny_parts(compressor: bool = False, seed: int = 0) -> CodecParts:
    """Return random weights over the 50 words `word0` ... and the special labels.

    Every word of the dictionary is a known word: raw text `word3 word14` becomes these words.
    """
    generator = torch.Generator().manual_seed(seed)
    autoencoder = autoencoder_of(OPTIONS)
    fill(autoencoder, generator)
    second: Compressor | None = None
    if compressor:
        second = compressor_of(COMPRESSOR_OPTIONS)
        fill(second, generator)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_synthetic(folder, max_words=MAX_WORDS, word_dim=OPTIONS["word_dim"], seed=seed)
        stored = WordVectors.load(folder)
        word_vectors = WordVectors(stored.words, np.array(stored.vectors_VW))
        whitening = Whitening.load(folder)
    words = [word for word in word_vectors.words if word not in SPECIAL_LABELS]
    return CodecParts(
        autoencoder=autoencoder,
        autoencoder_options=dict(OPTIONS),
        compressor=second,
        compressor_options=dict(COMPRESSOR_OPTIONS) if compressor else None,
        word_vectors=word_vectors,
        whitening=whitening,
        text=TextSettings("treebank", 0.0, None, MAX_WORDS),
        facts=tiny_facts(seed),
        known_words="".join(f"{word}\n" for word in sorted(words)),
    )


def fill(network: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights and leave the network as `CodecParts` wants it."""
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.3, generator=generator)
    network.eval().requires_grad_(False)


def tiny_facts(seed: int = 0) -> dict[str, Any]:
    """Return facts as `open_run` makes them of a finished run."""
    figures = {
        "weights": "last",
        "step": 10,
        "max_words": MAX_WORDS,
        "matched_words": 45,
        "num_words": 150,
        "exact_sentences": 2,
        "num_sentences": 20,
        "strict_matched_words": 26,
        "strict_num_words": 130,
        "strict_exact_sentences": 1,
        "matched_word_rate": 0.3,
        "exact_sentence_rate": 0.1,
        "strict_matched_word_rate": 0.2,
        "strict_exact_sentence_rate": 0.05,
        "by_length": {
            "length": [5, 10],
            "num_sentences": [10, 10],
            "exact_sentences": [2, 0],
            "num_words": [50, 100],
            "matched_words": [25, 20],
        },
    }
    return {
        "name": "tiny",
        "weights": "last",
        "steps": 10,
        "seed": seed,
        "max_words": MAX_WORDS,
        "finished": True,
        "splits": {"tune": dict(figures), "test": dict(figures)},
        "data": {"source": {"kind": "synthetic"}, "sentences": {"train": 140}},
        "versions": {"rrnn_lit": "0.1.0"},
        "text_is_exact": True,
    }
