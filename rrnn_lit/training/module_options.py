"""Ranges of the options of AutoencoderModule."""

from typing import Any, Literal

Memory = Literal["standard", "lean"]
_SHAPE_OPTIONS = ("word_dim", "hidden_size", "sentence_vector_size", "first_step")
_ADAM_OPTIONS = ("l2", "beta1", "beta2", "eps")


def check_options(options: dict[str, Any]) -> None:
    """Raise ValueError for the first option outside its range."""
    ranges = {
        "feed_forward_scale": (0.0, None),
        "recurrent_scale": (0.0, None),
        "match_drop": (0.0, 1.0),
        "match_margin": (0.0, 2.0),
        "learning_rate": (0.0, None),
        "decay": (0.0, 1.0),
        "l2": (0.0, None),
        "beta1": (0.0, 1.0),
        "beta2": (0.0, 1.0),
        "eps": (0.0, None),
        "graph_words": (0, None),
    }
    for name, (low, high) in ranges.items():
        value = options[name]
        if not low <= value <= (float("inf") if high is None else high):
            upper = "" if high is None else f" and at most {high}"
            raise ValueError(f"model.{name}: wanted at least {low}{upper}, got {value}")


def check_memory(options: dict[str, Any], trainer: Any) -> None:
    """Raise ValueError for what lean memory or recorded graphs cannot do.

    Args:
        options: of AutoencoderModule.
        trainer: the Trainer that will train it.
    """
    if options["memory"] == "lean":
        refused = {
            "trainer.gradient_clip_val": (trainer.gradient_clip_val or 0, 0),
            "trainer.accumulate_grad_batches": (trainer.accumulate_grad_batches, 1),
            "trainer.devices": (trainer.world_size, 1),
            "model.graph_words": (options["graph_words"], 0),
        }
        for name, (got, wanted) in refused.items():
            if got != wanted:
                raise ValueError(
                    f"{name}: wanted {wanted} with model.memory lean, which never holds all "
                    f"gradients at once, got {got}"
                )
    if options["graph_words"] and trainer.strategy.root_device.type != "cuda":
        raise ValueError(
            f"model.graph_words: wanted 0 without a CUDA device, got {options['graph_words']}"
        )


def check_same_options(then: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise ValueError for an option that a checkpoint's weights or optimizer state depend on.

    ADAM's options come back with its state, so that another value would silently not count.

    Args:
        then: options in the checkpoint.
        now: options of the run.
    """
    for name in (*_SHAPE_OPTIONS, *_ADAM_OPTIONS):
        if then[name] != now[name]:
            raise ValueError(
                f"model.{name}: the checkpoint has {then[name]}, the config {now[name]}"
            )
