"""RRNNCLI: the one way to build a run; `rrnn fit`, sweeps and tests all go through it."""

import sys
import warnings
from argparse import ArgumentError
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers.logger import Logger
from rich.console import Console

from rrnn_lit.data.config_files import check_config_files
from rrnn_lit.data.config_imports import refusal_in, settle_imports
from rrnn_lit.data.manifest import write_json
from rrnn_lit.training.checkpoint_file import Held
from rrnn_lit.training.checkpoints import BestCheckpoint, DurableCheckpointIO, LastCheckpoint
from rrnn_lit.training.finite import FiniteGuard
from rrnn_lit.training.interruption import RunInterruptedError
from rrnn_lit.training.log_before_save import LogBeforeSave
from rrnn_lit.training.loss_scale import KeepLossScale
from rrnn_lit.training.metrics_log import MetricsLog
from rrnn_lit.training.option_values import check_values
from rrnn_lit.training.outcome import print_outcome
from rrnn_lit.training.owner import RunOwner
from rrnn_lit.training.precision import LossScale, precision_plugin, refuse_changed_precision
from rrnn_lit.training.predictions import PredictionWriter
from rrnn_lit.training.preemption import StopOnSignal
from rrnn_lit.training.progress import StepsProgress
from rrnn_lit.training.random_states import RandomStates
from rrnn_lit.training.run_clock import RunClock
from rrnn_lit.training.run_config import SaveRunConfig
from rrnn_lit.training.run_folder import RECONSTRUCTIONS_FILE, SUMMARY_FILE
from rrnn_lit.training.run_start import settle_start
from rrnn_lit.training.sample_sentences import SampleSentences
from rrnn_lit.training.samples import write_reconstructions
from rrnn_lit.training.say_memory import SayMemory
from rrnn_lit.training.stop_signals import StopSignals
from rrnn_lit.training.strategies import (
    check_strategy,
    cluster_plugins,
    end_processes,
    is_first_process,
    register_strategies,
)
from rrnn_lit.training.summary import (
    LoadedStep,
    add_split,
    describe_run,
    describe_split,
    print_summary,
    read_summary,
    stop_reason,
)
from rrnn_lit.training.tasks import add_options, choose_task, classes_of, groups_of
from rrnn_lit.training.trainer_options import (
    canonical_precision,
    check_enough_data,
    check_seed,
    check_trainer_options,
)
from rrnn_lit.training.wandb_logging import WandbSettings, make_wandb_logger

_EXPECTED_WARNINGS = (
    "Checkpoint directory .* exists and is not empty",  # a resumed run
    "Be aware that when using `ckpt_path`, callbacks",  # evaluations have no use for fit's
    r"It is recommended to use `self\.log\(",  # figures are of all processes already
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # torch, inside Lightning
)


class OptionError(ValueError):
    """An option is unknown, missing or of the wrong type; the text is one line."""


class RRNNCLI(LightningCLI):
    """LightningCLI with the run folder, the loggers and the callbacks of this project.

    Args:
        args: command line without the program's name; None reads `sys.argv`.
        run: whether to run the subcommand; False only builds `trainer`, `model` and
            `datamodule`, and takes the options without a subcommand.
        signals: what ends a training saved; None listens while it runs, and only then.
        at_end: called behind the summary of a training, with folder and ownership.
    """

    def __init__(
        self,
        args: list[str] | None = None,
        run: bool = True,
        signals: StopSignals | None = None,
        at_end: Callable[[Path, Held], None] | None = None,
    ) -> None:
        self.folder = Path()
        self.signals = signals or StopSignals()
        self._at_end = at_end
        try:
            settle_imports()
            self.task = choose_task(sys.argv[1:] if args is None else args)
        except ValueError as error:
            raise OptionError(str(error)) from error
        raises: dict[str, Any] = {"exit_on_error": False}  # no page of usage behind a mistake
        subcommands = dict.fromkeys(self.subcommands(), raises) if run else {}
        with warnings.catch_warnings():
            for message in _EXPECTED_WARNINGS:
                warnings.filterwarnings("ignore", message)
            super().__init__(
                *classes_of(self.task),
                save_config_callback=None,  # built in instantiate_trainer, which knows the folder
                auto_configure_optimizers=False,
                load_from_checkpoint_support=False,  # options are flat: no instantiator in files
                parser_kwargs={"prog": "rrnn" if run else "rrnn fit", **raises, **subcommands},
                args=args,
                run=run,
            )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the option groups beside trainer, model and data."""
        add_options(parser, self.task)

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Read the options.

        Lightning's own version warns whenever `sys.argv` and `args` are both there.

        Raises:
            OptionError: names the option that is unknown, of the wrong type or not safe.
        """
        arguments, hint = sys.argv[1:] if args is None else args, ""
        try:
            hint = "" if check_config_files(arguments) else "; no --config FILE was given"
            self.config = parser.parse_args(arguments)
        except (ArgumentError, ValueError) as error:
            cause = refusal_in(error) or error
            raise OptionError(" ".join(str(cause).split()) + hint) from cause

    def _set_seed(self) -> None:
        check_seed(self.options.seed_everything)
        super()._set_seed()

    def _parse_ckpt_path(self) -> None:
        # Lightning would let the checkpoint's options win over the command line without a word
        return

    @property
    def options(self) -> Any:
        """The parsed options of the subcommand."""
        return self.config[self.subcommand] if self.subcommand else self.config

    @property
    def _fits(self) -> bool:
        return self.subcommand in (None, "fit")

    def before_instantiate_classes(self) -> None:
        """Check options that need no data, and settle folder and checkpoint.

        Raises:
            ValueError: names the option.
            RunCompleteError: the run to resume has nothing left to do.
            RunOwnedError: another process trains in the folder.
        """
        check_values(self.options, groups_of(self.task))
        trainer = self.options.trainer
        check_trainer_options(trainer)
        trainer.precision = canonical_precision(trainer.precision)
        self.folder = settle_start(self.options, self.subcommand)
        self.owner = RunOwner(self.folder)

    def instantiate_classes(self) -> None:
        """Build data, model and trainer; a ValueError names the option that does not fit."""
        try:
            super().instantiate_classes()
        except ValueError as error:
            # the parser's text about a link between options would hide what is wrong
            if "compute_fn of link" in str(error) and isinstance(error.__cause__, ValueError):
                raise error.__cause__ from None
            raise

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Return the trainer with this project's loggers, callbacks and precision."""
        options = self.options
        precision = options.trainer.precision
        scale = LossScale(**options.loss_scale)
        plugin = precision_plugin(precision, options.trainer.accelerator, scale)
        register_strategies()
        plugins: list[Any] = [DurableCheckpointIO(self.owner.held), *cluster_plugins()]
        if plugin is not None:
            plugins.append(plugin)
            kwargs["precision"] = None
        built = self.config_init[self.subcommand] if self.subcommand else self.config_init
        callbacks = [*(built.trainer.callbacks or []), *self._callbacks()]
        try:
            trainer = super().instantiate_trainer(
                plugins=plugins,
                logger=self._loggers(),
                callbacks=callbacks,
                default_root_dir=str(self.folder),
                use_distributed_sampler=False,  # the DataModule shares every batch out itself
                **kwargs,
            )
        except TypeError as error:  # how Lightning refuses trainer.devices
            raise ValueError(f"trainer: {error}") from error
        check_strategy(trainer, self.task, self.subcommand or "fit", options.seed_everything)
        refuse_changed_precision(trainer, precision)
        if self._fits:
            check_enough_data(options.trainer, self.datamodule)
        return trainer

    def _loggers(self) -> list[Logger] | bool:
        if not self._fits:
            return False
        loggers: list[Logger] = [MetricsLog(self.folder, self.owner.held)]
        if is_first_process():
            settings = WandbSettings(**self.options.wandb)
            wandb_logger = make_wandb_logger(settings, self.folder, self.owner.held)
            loggers += [] if wandb_logger is None else [wandb_logger]
        return loggers

    def _callbacks(self) -> list[Callback]:
        progress: list[Callback] = []
        if self.options.trainer.enable_progress_bar is not False:
            progress = [StepsProgress()]
        if not self._fits:
            self.loaded = LoadedStep()
            return [*progress, self.loaded, PredictionWriter(self.folder)]
        self.clock = RunClock(self.owner.held)
        built = self.config_init[self.subcommand] if self.subcommand else self.config_init
        self.samples: SampleSentences = built.samples
        last = LastCheckpoint(self.folder, self.options.checkpoint.every_n_steps)
        self.stop = StopOnSignal(last, self.signals, self.owner.held)
        return [
            SaveRunConfig(self._parser(self.subcommand), self.options, self.folder),
            *([SayMemory()] if self.task == "autoencoder" else []),
            FiniteGuard(LossScale(**self.options.loss_scale)),
            LogBeforeSave(),
            *progress,
            RandomStates(),
            KeepLossScale(LossScale(**self.options.loss_scale)),
            self.clock,
            BestCheckpoint(self.folder),
            # behind the others: they must see what those did at the same step
            last,
            self.stop,
        ]

    def _run_subcommand(self, subcommand: str) -> None:
        try:
            with ExitStack() as stack:
                if self._fits:
                    self.signals.note_only()
                    stack.enter_context(self.signals)
                    if self.trainer.is_global_zero:
                        stack.enter_context(self.owner.taken())
                super()._run_subcommand(subcommand)
        except SystemExit as error:
            if not self.trainer.interrupted:
                raise
            step = self.trainer.global_step
            raise RunInterruptedError(subcommand, self.folder, step) from error
        finally:
            end_processes(self.trainer)

    def predict(self, model: pl.LightningModule, **kwargs: Any) -> None:
        """Let the callback write predictions, a batch at a time; none are gathered in memory."""
        self.trainer.predict(model, **{**kwargs, "return_predictions": False})

    def after_fit(self) -> None:
        """Count the final weights, write the summary and print reconstructed sentences."""
        if self.model.evaluated_step != self.trainer.global_step:
            self.trainer.validate(self.model, datamodule=self.datamodule, verbose=False)
        self.stop.stop_before_summary(self.trainer)
        if not self.trainer.is_global_zero:
            return
        reason = stop_reason(self.trainer)
        summary = describe_run(self.trainer, self.model, self.clock.seconds, reason)
        reconstructions = self.samples.reconstructions
        with self.owner.held():
            write_reconstructions(self.folder / RECONSTRUCTIONS_FILE, reconstructions)
            write_json(self.folder / SUMMARY_FILE, summary)
        print_outcome(self.folder, summary, reconstructions)
        if self._at_end is not None:
            self._at_end(self.folder, self.owner.held)

    def after_test(self) -> None:
        """Add the figures of holdout to the summary of a finished run."""
        if not self.trainer.is_global_zero:
            return
        weights = Path(self.options.ckpt_path).stem
        step = self.loaded.step
        figures = describe_split(self.trainer, self.model, "holdout", weights, step)
        print_summary(add_split(self.folder, "holdout", figures), Console())

    def before_test(self) -> None:
        """Refuse before the work when there is no summary to add to."""
        read_summary(self.folder)
