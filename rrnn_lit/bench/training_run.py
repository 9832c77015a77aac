"""The real parts of a training run, for benchmarks: module, data and trainer without a folder.

Options that change no time have the values of the paper.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.profilers import Profiler

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.checkpoint_file import read_checkpoint
from rrnn_lit.training.module_options import Memory
from rrnn_lit.training.precision import LossScale, precision_plugin, refuse_changed_precision

DEVICE_PRECISION = {"cpu": "bf16-mixed", "cuda": "16-mixed"}
NUMBER_FORMAT = {"bf16-mixed": "bf16", "16-mixed": "fp16", "32-true": "fp32"}
LOSS_SCALE = LossScale(init=50, growth_interval=2_000)
LEARNING_RATE = 4.22e-5
BETAS = (0.85, 0.99)
EPS = 1e-8
L2 = 1.84e-7
_MODULE_OPTIONS: dict[str, Any] = {
    "sentence_vector_size": None,
    "first_step": "bias_term",
    "dropout": 0.0,  # the peers have none
    "dropout_locked": True,
    "dropout_position": "output",
    "init": "sparse",
    "feed_forward_scale": 0.0833083,
    "recurrent_scale": 0.0456395,
    "loss": "squared",
    "match_drop": 1.0,
    "learning_rate": LEARNING_RATE,
    "decay": 1.0,
    "l2": L2,
    "beta1": BETAS[0],
    "beta2": BETAS[1],
    "eps": EPS,
    "round_moments": "none",
}
_EXPECTED_WARNINGS = (
    ".*does not have many workers",  # the batches come faster than the steps
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # torch, inside Lightning
)


def make_module(
    word_dim: int, hidden_size: int, margin: float, memory: Memory, graph_words: int
) -> AutoencoderModule:
    """Return the module that `rrnn fit` trains, with new weights; see its options."""
    return AutoencoderModule(
        word_dim=word_dim,
        hidden_size=hidden_size,
        match_margin=margin,
        memory=memory,
        graph_words=graph_words,
        **_MODULE_OPTIONS,
    )


def load_weights(module: AutoencoderModule, path: Path) -> None:
    """Give a module the weights of a checkpoint.

    Raises:
        ValueError: there is no checkpoint, or its network is another one.
    """
    try:
        checkpoint = read_checkpoint(path)
    except ValueError as error:
        text = str(error).removeprefix("ckpt_path: ")  # the option of a training
        raise ValueError(f"--checkpoint: {text}") from error
    for name in ("hidden_size", "word_dim", "sentence_vector_size", "first_step"):
        wanted, got = module.hparams[name], checkpoint["hyper_parameters"][name]
        if wanted != got:
            raise ValueError(f"--checkpoint: wanted a {name} of {wanted}, got {got} in {path}")
    prefix = "autoencoder."
    weights = {
        name.removeprefix(prefix): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }
    module.autoencoder.load_state_dict(weights)


def make_data(
    folder: Path, batch_size: int, max_words: int, length_buckets: int, position: int
) -> SentenceDataModule:
    """Return the data that `rrnn fit` reads.

    Args:
        folder: a prepared folder.
        batch_size: sentences of a batch.
        max_words: longest sentence.
        length_buckets: batches in a window sorted by length; 0 for random batches.
        position: number of the first batch.
    """
    data = SentenceDataModule(
        folder=str(folder),
        batch_size=batch_size,
        max_words=max_words,
        seed=0,
        max_passes=None,
        length_buckets=length_buckets,
        blank_every=0,
        tune_sentences=None,
        test_sentences=None,
        holdout_sentences=None,
        eval_batch_size=batch_size,
        verify=False,
    )
    data.position = position
    return data


def fit(
    module: AutoencoderModule,
    data: SentenceDataModule,
    num_steps: int,
    device: torch.device,
    precision: str,
    callback: Callback,
    profiler: Profiler | None = None,
) -> None:
    """Train for `num_steps` steps as `rrnn fit` does, without its files and without evaluations.

    Raises:
        ValueError: the device has no such precision.
    """
    accelerator = {"cpu": "cpu", "cuda": "gpu"}[device.type]
    plugin = precision_plugin(precision, accelerator, LOSS_SCALE)
    with _quiet():
        trainer = pl.Trainer(
            accelerator=accelerator,
            devices=1,
            precision=None if plugin else precision,  # type: ignore[arg-type]
            plugins=[plugin] if plugin else None,
            max_steps=num_steps,
            max_epochs=-1,
            limit_val_batches=0,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            callbacks=[callback],
            profiler=profiler,
        )
        refuse_changed_precision(trainer, precision)
        trainer.fit(module, datamodule=data)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's remarks off the screen: the table is what was asked for."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _EXPECTED_WARNINGS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def wrapped(
    owner: Any, name: str, around: Callable[[], AbstractContextManager[Any]]
) -> Iterator[None]:
    """Put a context around every call of an object's method or a module's function."""
    inner = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        with around():
            return inner(*args, **kwargs)

    setattr(owner, name, call)
    try:
        yield
    finally:
        setattr(owner, name, inner)
