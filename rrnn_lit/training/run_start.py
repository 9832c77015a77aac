"""Where a command works and what it loads: the run's folder and the checkpoint."""

from pathlib import Path
from typing import Any

from rrnn_lit.training.checkpoint_check import newest_checkpoint
from rrnn_lit.training.completeness import check_unfinished
from rrnn_lit.training.owner import refuse_owned
from rrnn_lit.training.run_folder import LAST_CHECKPOINT, RunSettings, choose_folder
from rrnn_lit.training.safe_load import check_is_file
from rrnn_lit.training.strategies import is_first_process


def settle_start(options: Any, command: str | None) -> Path:
    """Return the folder; the options get it, and the checkpoint if the run in it goes on.

    A run that goes on from its own last state takes the newest checkpoint that is whole.

    Args:
        options: of the command, with `run`, `trainer`, `stopping` and perhaps `ckpt_path`.
        command: `fit` or another; None for `fit` that is built and not run.

    Raises:
        ValueError: names the option or the file.
        RunCompleteError: the run to resume has nothing left to do.
        RunOwnedError: another process trains in it.
    """
    settings = RunSettings(**options.run)
    checkpoint, fits = options.get("ckpt_path"), command in (None, "fit")
    folder = Path(settings.folder)
    last = folder / LAST_CHECKPOINT
    goes_on = fits and checkpoint is not None and Path(checkpoint).resolve() == last.resolve()
    if checkpoint is not None and not goes_on:
        check_is_file(checkpoint)
    if not fits:
        if checkpoint is None:
            raise ValueError(
                f"ckpt_path: wanted the run to {command}, as --run RUN or as --ckpt_path FILE, "
                "got none"
            )
        return folder
    if checkpoint is None or folder.resolve() not in Path(checkpoint).resolve().parents:
        folder, goes_on = choose_folder(settings)
        options.run.folder = str(folder)
    if command is None:  # there is no option for a checkpoint
        return folder
    if is_first_process():
        refuse_owned(folder)
    if goes_on:
        options.ckpt_path = str(newest_checkpoint(folder))
        check_unfinished(folder, Path(options.ckpt_path), options)
    return folder
