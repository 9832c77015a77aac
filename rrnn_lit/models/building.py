"""Build a network from the options of a config, a checkpoint or a bundle."""

from collections.abc import Mapping
from typing import Any

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder

_SHAPE = (
    "word_dim",
    "hidden_size",
    "sentence_vector_size",
    "first_step",
    "dropout",
    "dropout_locked",
    "dropout_position",
)


def autoencoder_of(options: Mapping[str, Any]) -> SentenceAutoencoder:
    """Return an autoencoder of new weights from the options of the group `model`.

    Args:
        options: by name; those that do not shape the network are left aside.

    Raises:
        ValueError: an option is missing or out of range.
    """
    missing = [name for name in _SHAPE if name not in options]
    if missing:
        raise ValueError(f"model.{missing[0]}: wanted a value, got none")
    return SentenceAutoencoder(AutoencoderShape(**{name: options[name] for name in _SHAPE}))
