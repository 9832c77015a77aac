"""Build a network from the options of a config, a checkpoint or a bundle."""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.initialisation import Initialisation
from rrnn_lit.models.scaling import Factors, Scaling, width_factors

_SHAPE = (
    "word_dim",
    "hidden_size",
    "sentence_vector_size",
    "first_step",
    "dropout",
    "dropout_locked",
    "dropout_position",
)
# options that earlier checkpoints lack, with the value they were trained with
LATER_SHAPE: Mapping[str, Any] = {
    "cell": "residual",
    "residual": True,
    "encoder_order": "reversed",
    "middle_layer": True,
}


def autoencoder_of(options: Mapping[str, Any]) -> SentenceAutoencoder:
    """Return an autoencoder of new weights from the options of the group `model`.

    Args:
        options: by name; those that do not shape the network are left aside, and those that
            earlier checkpoints lack may be missing.

    Raises:
        ValueError: an option is missing or out of range.
    """
    missing = [name for name in _SHAPE if name not in options]
    if missing:
        raise ValueError(f"model.{missing[0]}: wanted a value, got none")
    given = {name: options[name] for name in _SHAPE}
    later = {name: options.get(name, value) for name, value in LATER_SHAPE.items()}
    return SentenceAutoencoder(AutoencoderShape(**given, **later))


def initialised_autoencoder(
    options: Mapping[str, Any],
) -> tuple[SentenceAutoencoder, dict[str, Factors]]:
    """Return an autoencoder to train from all options of the group `model`.

    With it come the factors of width scaling on the options of its parameters, by name.
    """
    autoencoder = autoencoder_of(options)
    scaling: Scaling = options["scaling"]
    kind: Initialisation = options["init"]
    factors = width_factors(
        autoencoder.named_parameters(), scaling, options["base_size"], options["hidden_size"]
    )
    scales = options["feed_forward_scale"], options["recurrent_scale"]
    autoencoder.initialise(kind, *scales, factors)
    return autoencoder, factors


def weights_digest(network: nn.Module) -> str:
    """Return a SHA-256 over all weights in fp32: equal only for equal names, shapes and values."""
    digest = hashlib.sha256()
    for name, weight in sorted(network.named_parameters()):
        values = weight.detach().to("cpu", torch.float32).contiguous()
        digest.update(f"{name} {list(values.shape)}\n".encode())
        digest.update(values.numpy().data)
    return digest.hexdigest()
