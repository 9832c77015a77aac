"""The tasks of a run: which module and data it is made of, and which options it has.

A run trains an autoencoder or, behind a finished one, a compressor of its sentence vectors. The
key `task` of a config or `--task` chooses; it has to be known before there is a parser.
"""

from typing import Literal, get_args

import lightning.pytorch as pl
from lightning.pytorch.cli import LightningArgumentParser

from rrnn_lit.data.config_files import last_value
from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.vector_datamodule import SentenceVectorDataModule
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.checkpoints import CheckpointSettings
from rrnn_lit.training.compressor_module import CompressorModule
from rrnn_lit.training.frozen_autoencoder import size_behind
from rrnn_lit.training.module_options import LossSettings
from rrnn_lit.training.precision import LossScale
from rrnn_lit.training.run_folder import RunSettings
from rrnn_lit.training.sample_sentences import SampleSentences
from rrnn_lit.training.stopping import MatchedWordsStopping
from rrnn_lit.training.wandb_logging import WandbSettings

Task = Literal["autoencoder", "compressor"]
DEFAULT_TASK: Task = "autoencoder"  # of configs that name none


def choose_task(arguments: list[str]) -> Task:
    """Return the task that options name, on the command line or in config files.

    Raises:
        ValueError: there is no such task.
    """
    name = last_value(arguments, "task")
    for task in get_args(Task):
        if name in (task, None):
            chosen: Task = task if name else DEFAULT_TASK
            return chosen
    raise ValueError(f"task: wanted {' or '.join(get_args(Task))}, got {name!r}")


def classes_of(task: Task) -> tuple[type[pl.LightningModule], type[pl.LightningDataModule]]:
    """Return module and data module of a task."""
    if task == "compressor":
        return CompressorModule, SentenceVectorDataModule
    return AutoencoderModule, SentenceDataModule


def groups_of(task: Task) -> dict[str, type]:
    """Return the groups of options beside trainer and the class that each is made for."""
    module, data = classes_of(task)
    return {
        "model": module,
        "data": data,
        "run": RunSettings,
        "checkpoint": CheckpointSettings,
        "loss_scale": LossScale,
        "loss": LossSettings,
        "wandb": WandbSettings,
        "stopping": MatchedWordsStopping,
        "samples": SampleSentences,
    }


def add_options(parser: LightningArgumentParser, task: Task) -> None:
    """Add the option groups beside trainer, model and data, and what follows from the data."""
    parser.add_argument(
        "--task",
        type=Task,
        default=DEFAULT_TASK,
        help="what is trained: `autoencoder`; or `compressor`, of an autoencoder's vectors",
    )
    parser.add_class_arguments(RunSettings, "run")
    parser.add_class_arguments(CheckpointSettings, "checkpoint")
    parser.add_class_arguments(LossScale, "loss_scale")
    parser.add_class_arguments(LossSettings, "loss")
    parser.add_class_arguments(WandbSettings, "wandb")
    parser.add_lightning_class_args(MatchedWordsStopping, "stopping")
    parser.add_lightning_class_args(SampleSentences, "samples")
    parser.link_arguments("loss.match_margin", "model.match_margin")
    if task == "compressor":
        parser.link_arguments(
            "data", "model.sentence_vector_size", compute_fn=size_behind, apply_on="instantiate"
        )
    else:
        parser.link_arguments("data.word_dim", "model.word_dim", apply_on="instantiate")
