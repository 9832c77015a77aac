"""Ranges of the options of AutoencoderModule, and its one option outside the group `model`."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from rrnn_lit.models.building import LATER_SHAPE
from rrnn_lit.training.ranges import TRAINING_RANGES, Ranges, check_ranges
from rrnn_lit.training.sharding import ShardedStrategy

Memory = Literal["standard", "lean"]
_SHAPE_OPTIONS = (
    *("word_dim", "hidden_size", "sentence_vector_size", "first_step"),
    *LATER_SHAPE,
)
_ADAM_OPTIONS = ("l2", "beta1", "beta2", "eps", "round_moments", "scaling", "base_size")
# options that earlier checkpoints lack, with the value they were trained with
_LATER_OPTIONS = {"scaling": "none", "base_size": 512, **LATER_SHAPE}
# options that need our own recurrence -> the only value that goes with another cell
_OWN_RECURRENCE = {"memory": "standard", "graph_words": 0, "scaling": "none"}


@dataclass(frozen=True)
class LossSettings:
    """The edge of match drop (decision D-49).

    Attributes:
        match_margin: cosine by which a word must lead every other to be dropped; 0 is the paper.
    """

    match_margin: float


_RANGES: Ranges = {
    **TRAINING_RANGES,
    "recurrent_scale": (0, math.inf, False, False),
    "graph_words": (0, math.inf, True, False),
    "base_size": (1, math.inf, True, False),
}


def check_options(options: dict[str, Any]) -> None:
    """Raise ValueError for the first option outside its range or that the cell does not know."""
    check_ranges(options, _RANGES)
    if options["scaling"] != "none" and options["sentence_vector_size"] is not None:
        raise ValueError(
            "model.sentence_vector_size: wanted null with model.scaling mup, whose factors are "
            f"for one width; got {options['sentence_vector_size']}"
        )
    if options["cell"] != "residual":
        _refuse(
            f"with model.cell {options['cell']}: it is for the residual cell",
            {f"model.{n}": (options[n], wanted) for n, wanted in _OWN_RECURRENCE.items()},
        )


def check_memory(options: dict[str, Any], trainer: Any) -> None:
    """Raise ValueError for what lean memory or recorded graphs cannot do.

    Args:
        options: of AutoencoderModule.
        trainer: the Trainer that will train it.
    """
    if options["memory"] == "lean":
        if isinstance(trainer.strategy, ShardedStrategy):
            raise ValueError(
                "model.memory: wanted standard with trainer.strategy fsdp2, which shares "
                "gradients out at once; got lean"
            )
        deferred = {
            "trainer.gradient_clip_val": (trainer.gradient_clip_val or 0, 0),
            "trainer.accumulate_grad_batches": (trainer.accumulate_grad_batches, 1),
            "trainer.devices": (trainer.world_size, 1),
        }
        _refuse("with model.memory lean, which never holds all gradients at once", deferred)
        _refuse(
            "with model.memory lean: a graph would hold all gradients",
            {"model.graph_words": (options["graph_words"], 0)},
        )
    if options["graph_words"]:
        if trainer.strategy.root_device.type != "cuda":
            raise ValueError(
                f"model.graph_words: wanted 0 without a CUDA device, got {options['graph_words']}"
            )
        _refuse(
            "with model.graph_words, whose gradients live in the graph until the next run of it",
            {"trainer.accumulate_grad_batches": (trainer.accumulate_grad_batches, 1)},
        )
        _refuse(
            "with model.graph_words, which records one device",
            {"trainer.devices": (trainer.world_size, 1)},
        )


def _refuse(reason: str, options: dict[str, tuple[Any, Any]]) -> None:
    """Raise ValueError for the first option, name -> (got, wanted), that is not as wanted."""
    for name, (got, wanted) in options.items():
        if got != wanted:
            raise ValueError(f"{name}: wanted {wanted} {reason}; got {got}")


def check_same_options(then: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise ValueError for an option that a checkpoint's weights or optimizer state depend on.

    ADAM's options come back with its state, so that another value would silently not count.

    Args:
        then: options in the checkpoint.
        now: options of the run.
    """
    if "word_dim" not in then:
        raise ValueError("ckpt_path: wanted a checkpoint of an autoencoder, got another one")
    then, now = {**_LATER_OPTIONS, **then}, {**_LATER_OPTIONS, **now}
    for name in (*_SHAPE_OPTIONS, *_ADAM_OPTIONS):
        if name == "base_size" and now["scaling"] == "none":
            continue
        if then[name] != now[name]:
            raise ValueError(
                f"model.{name}: the checkpoint has {then[name]}, the config {now[name]}"
            )


def check_same_dictionary(then: str, now: str) -> None:
    """Raise ValueError unless two digests of a dictionary agree; one without data is empty."""
    if now and then != now:
        raise ValueError(
            "data.folder: the checkpoint was trained with another dictionary, "
            f"digest {then[:12]}, not {now[:12]}"
        )
