"""Options of Lightning's Trainer that a run of this project cannot honour, refused by name.

Lightning knows over fifty; those that are safe are left to its own checks.
"""

from typing import Any

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.training.strategies import check_strategy_name

_PRECISIONS = ("16-mixed", "bf16-mixed", "32-true")
_ALIASES = {"16": "16-mixed", "bf16": "bf16-mixed", "32": "32-true"}
# smallest value that makes sense; null is Lightning's default
_LOWEST = {
    "max_steps": 1,
    "log_every_n_steps": 1,
    "val_check_interval": 1,
    "accumulate_grad_batches": 1,
    "gradient_clip_val": 0,
}
_ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")
_ONE_EPOCH = "a run is one endless epoch that trainer.max_steps ends"
# option -> what it may be, and why nothing else
_FIXED: dict[str, tuple[tuple[Any, ...], str]] = {
    "logger": ((None,), "every run has metrics.jsonl, and W&B with wandb.enabled"),
    "plugins": ((None,), "precision and checkpoints have their own"),
    "default_root_dir": ((None,), "the folder is run.folder"),
    "barebones": ((False,), "a run without records cannot be continued"),
    "fast_dev_run": ((False,), "give a small trainer.max_steps instead"),
    "overfit_batches": ((0,), "prepare a folder with few sentences instead"),
    "limit_train_batches": ((None,), _ONE_EPOCH),
    "limit_val_batches": ((None,), "give data.tune_sentences and data.test_sentences instead"),
    "limit_test_batches": ((None,), "give data.holdout_sentences instead"),
    "limit_predict_batches": ((None,), "give data.tune_sentences instead, or that of the split"),
    "max_epochs": ((None, -1), _ONE_EPOCH),
    "min_epochs": ((None,), _ONE_EPOCH),
    "check_val_every_n_epoch": ((None, 1), f"{_ONE_EPOCH}; give trainer.val_check_interval"),
}


def check_trainer_options(options: Any) -> None:
    """Return if a run can honour the options of the group `trainer`.

    Args:
        options: the parsed group; attributes are named as the arguments of `Trainer`.

    Raises:
        ValueError: names the option, what it may be and what it is.
    """
    for name, least in _LOWEST.items():
        value = getattr(options, name)
        if isinstance(value, int | float) and value < least:
            raise ValueError(f"trainer.{name}: wanted at least {least}, got {value}")
    for name, (allowed, reason) in _FIXED.items():
        value = getattr(options, name)
        if value not in allowed:
            wanted = " or ".join("null" if v is None else str(v).lower() for v in allowed)
            raise ValueError(f"trainer.{name}: wanted {wanted}, got {value}; {reason}")
    accelerator = options.accelerator
    if isinstance(accelerator, str) and accelerator not in _ACCELERATORS:
        raise ValueError(
            f"trainer.accelerator: wanted one of {', '.join(_ACCELERATORS)}, got {accelerator}"
        )
    check_strategy_name(options.strategy)


def canonical_precision(precision: object) -> str:
    """Return `16-mixed`, `bf16-mixed` or `32-true` for it or for Lightning's short form of it.

    Raises:
        ValueError: another precision.
    """
    name = "32-true" if precision is None else str(precision)
    name = _ALIASES.get(name, name)
    if name not in _PRECISIONS:
        wanted = f"{', '.join(_PRECISIONS[:-1])} or {_PRECISIONS[-1]}"
        raise ValueError(f"trainer.precision: wanted {wanted}, got {precision}")
    return name


def check_seed(seed: int | bool) -> None:
    """Return if it is a seed; true draws one and false sets none.

    Raises:
        ValueError: `seed_everything` is out of range.
    """
    highest = 2**32 - 1  # numpy's limit
    if not 0 <= seed <= highest:
        raise ValueError(f"seed_everything: wanted a number from 0 to {highest}, got {seed}")


def check_enough_data(options: Any, data: SentenceDataModule) -> None:
    """Return if the train split has a batch for every step.

    Raises:
        ValueError: `trainer.max_steps` needs more than `data.max_passes` passes.
    """
    wanted = options.max_steps * options.accumulate_grad_batches
    if wanted > data.available_batches:
        raise ValueError(
            f"trainer.max_steps: {options.max_steps} steps need {wanted} batches, got "
            f"{data.available_batches} in data.max_passes={data.hparams['max_passes']} "
            f"passes over the train split of {data.hparams['folder']}; "
            "raise data.max_passes (null: no limit) or prepare more text"
        )
