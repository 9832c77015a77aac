"""The start of a run: its whole resolved configuration, in its folder and in W&B from step 0."""

import shutil
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningArgumentParser

from rrnn_lit.training.run_folder import CONFIG_FILE, free_name, point_latest, reopen_run
from rrnn_lit.training.wandb_mirror import WandbMirror
from rrnn_lit.whole_files import write_text


class SaveRunConfig(Callback):
    """Writes `config.yaml`; a resumed run with other options keeps the earlier files too.

    Nothing in the folder changes before training begins: when the options do not fit the
    checkpoint, a finished run stays as it was.

    Args:
        parser: the parser of the command.
        config: the parsed options.
        folder: the run's folder.
    """

    def __init__(self, parser: LightningArgumentParser, config: Any, folder: Path) -> None:
        self.parser = parser
        self.config = config
        self.folder = folder

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save once, on the first process; the run is now the latest, and unfinished."""
        if not trainer.is_global_zero:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        point_latest(self.folder)
        reopen_run(self.folder)
        config = self.config.clone()
        if "ckpt_path" in config:
            config.ckpt_path = None  # where this start came from; the file describes the run
        text = self.parser.dump(config, skip_none=False)
        path = self.folder / CONFIG_FILE
        if path.exists() and path.read_text(encoding="utf-8") != text:
            shutil.copyfile(path, free_name(path))
        # whole or not at all: a folder without config.yaml does not count as a run
        write_text(path, text)
        for logger in trainer.loggers:
            if isinstance(logger, WandbMirror):
                logger.start(trainer.global_step)
