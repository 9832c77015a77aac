"""Ranges of the options of CompressorModule, and which of them a checkpoint depends on."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal

from rrnn_lit.models.compressor import CompressorShape
from rrnn_lit.training.ranges import TRAINING_RANGES, Ranges, check_ranges

CompressorLoss = Literal["vector", "words"]
CompressorInitialisation = Literal["sparse", "dense", "pca"]
SHAPE_OPTIONS = tuple(field.name for field in fields(CompressorShape))
_ADAM_OPTIONS = ("l2", "beta1", "beta2", "eps", "round_moments")
_RANGES: Ranges = {**TRAINING_RANGES, "pca_vectors": (1, math.inf, True, False)}


def check_compressor_options(options: Mapping[str, Any]) -> None:
    """Raise ValueError for the first option outside its range."""
    check_ranges(options, _RANGES)
    least = min(options["sentence_vector_size"], options["compressed_size"])
    if options["init"] == "pca" and options["pca_vectors"] < least:
        raise ValueError(
            f"model.pca_vectors: wanted at least {least} for as many components, "
            f"got {options['pca_vectors']}"
        )
    if options["init"] == "pca" and options["activation"] == "leaky_relu":
        raise ValueError(
            "model.init: wanted sparse or dense with model.activation leaky_relu, whose negative "
            "side would be lost, got pca"
        )


def check_same_compressor(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise ValueError for an option that a checkpoint's weights or optimizer state depend on."""
    for name in (*SHAPE_OPTIONS, *_ADAM_OPTIONS):
        if then[name] != now[name]:
            raise ValueError(
                f"model.{name}: the checkpoint has {then[name]}, the config {now[name]}"
            )


def check_same_autoencoder(option: str, then: str, now: str) -> None:
    """Raise ValueError unless two digests of an autoencoder's weights agree.

    Args:
        option: what the user gave.
        then: the digest it belongs to.
        now: that of the autoencoder at hand; empty for none.
    """
    if now and then != now:
        raise ValueError(
            f"{option}: wanted the autoencoder with digest {then[:12]}, got {now[:12]}; "
            "vectors of another one mean something else"
        )
