"""Residual recurrent networks for invertible sentence embeddings.

Importing this package does no work and loads nothing heavy; public names load on first use.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "AutoencoderModule": "rrnn_lit.training.autoencoder_module",
    "MatchedWords": "rrnn_lit.training.matched_words",
    "MatchedWordsStopping": "rrnn_lit.training.stopping",
    "PreparedData": "rrnn_lit.data.prepared",
    "SentenceAutoencoder": "rrnn_lit.models.autoencoder",
    "SentenceCodec": "rrnn_lit.codec.sentence_codec",
    "SentenceDataModule": "rrnn_lit.data.datamodule",
    "WordVectors": "rrnn_lit.words.vectors",
}
__all__ = ["__version__", *_PUBLIC]  # the names exist through __getattr__


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
