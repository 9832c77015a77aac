"""When a run saves: `last.ckpt`, the one before it as `last-1.ckpt`, and `best.ckpt`."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.fabric.plugins import CheckpointIO
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from rrnn_lit.training.checkpoint_file import Held, put_back, read_named, write_checkpoint
from rrnn_lit.training.finite import refuse_not_finite
from rrnn_lit.training.run_folder import BEST_CHECKPOINT, LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from rrnn_lit.training.stopping import MONITOR, check_is_due, ends_a_step, precedes_a_check


@dataclass(frozen=True)
class CheckpointSettings:
    """When `last.ckpt` is written.

    Attributes:
        every_n_steps: distance in steps; evaluations and the end of a run save as well.
    """

    every_n_steps: int


class DurableCheckpointIO(CheckpointIO):
    """Writes a checkpoint so that a kill at any moment leaves the previous one whole.

    Args:
        held: the ownership of the run's folder, see `write_checkpoint`.
    """

    def __init__(self, held: Held = nullcontext) -> None:
        self._held = held

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write, read back and rename; `last.ckpt` keeps the one before as `last-1.ckpt`.

        Raises:
            NotFiniteError: a weight is inf or NaN; the file that is there stays.
            OSError: it cannot be written.
        """
        refuse_not_finite(checkpoint["state_dict"], checkpoint["global_step"])
        target, last = Path(path), Path(LAST_CHECKPOINT)
        previous = target.with_name(Path(PREVIOUS_CHECKPOINT).name)
        write_checkpoint(
            checkpoint, target, previous if target.name == last.name else None, self._held
        )

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Verify and read tensors and plain values; a file that holds anything else is refused.

        Raises:
            ValueError: there is no such file, it is damaged or it is not a checkpoint.
        """
        return read_named(Path(path), map_location or "cpu")

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)


class LastCheckpoint(Checkpoint):
    """Keeps `checkpoints/last.ckpt`: every so many steps, after evaluations and at the end.

    At a step that ends with an evaluation it is written after the evaluation, so that a resumed
    run neither repeats nor misses a check of the stop rule, and at the step before as well, so
    that a run that is stopped in a long evaluation loses one step. Lightning runs checkpoint
    callbacks behind all others, in the order given: this one belongs behind the best checkpoint's.

    Args:
        folder: the run's folder.
        every_n_steps: distance in steps, at least 1.
    """

    def __init__(self, folder: Path, every_n_steps: int) -> None:
        if every_n_steps < 1:
            raise ValueError(f"checkpoint.every_n_steps: wanted at least 1, got {every_n_steps}")
        self.folder = folder
        self.path = folder / LAST_CHECKPOINT
        self.every_n_steps = every_n_steps
        self._saved_step = -1

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remove what a kill in the middle of a save left behind, and a damaged `last.ckpt`."""
        self._start_step = trainer.global_step
        if not trainer.is_global_zero:
            return
        for part in self.path.parent.glob("*.part"):
            part.unlink()
        previous = self.folder / PREVIOUS_CHECKPOINT
        if trainer.ckpt_path is not None and Path(trainer.ckpt_path) == previous:
            put_back(previous, self.path)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Save if the step is due or the last, and no check of the stop rule follows.

        In `on_train_end` Lightning has counted the end of the epoch: a run that goes on from
        there has other counters than one that never stopped. So does one that goes on behind
        the evaluation that Lightning adds where a timer stops a run.
        """
        if not ends_a_step(trainer) or check_is_due(trainer):
            return
        is_last = trainer.should_stop or 0 < trainer.max_steps <= trainer.global_step
        is_due = trainer.global_step % self.every_n_steps == 0 or precedes_a_check(trainer)
        if is_last or is_due:
            self.save(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after a check of the stop rule; this callback runs behind it."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking and check_is_due(trainer):
            self.save(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the end of a run that no other method has seen coming."""
        if trainer.global_step > self._start_step:
            self.save(trainer)

    def save(self, trainer: pl.Trainer) -> None:
        """Save this step unless it is saved already."""
        if self._saved_step != trainer.global_step:
            self._saved_step = trainer.global_step
            trainer.save_checkpoint(self.path, weights_only=False)  # all of the state


class BestCheckpoint(ModelCheckpoint):
    """Keeps `checkpoints/best.ckpt`: most matched words on test, of the checks of the stop rule.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / BEST_CHECKPOINT
        super().__init__(
            dirpath=path.parent,
            filename=path.stem,
            monitor=MONITOR,
            mode="max",
            save_top_k=1,
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the best count of a run whose folder was moved; Lightning would forget it."""
        best = Path(str(self.dirpath)) / f"{self.filename}.ckpt"
        if best.is_file():
            scores = state_dict["best_k_models"].values()
            state_dict = {
                **state_dict,
                "dirpath": self.dirpath,
                "best_model_path": str(best),
                "kth_best_model_path": str(best),
                "best_k_models": dict.fromkeys([str(best)], *scores) if scores else {},
            }
        super().load_state_dict(state_dict)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave out the evaluation that Lightning adds where a timer stops a run."""
        if check_is_due(trainer):
            super().on_validation_end(trainer, pl_module)
