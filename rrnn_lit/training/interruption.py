"""Ctrl-C in a loop of Lightning, which makes exit code 1 of it."""

from pathlib import Path

from rrnn_lit.training.run_folder import has_checkpoint


class RunInterruptedError(Exception):
    """The text says where the command was and how to go on.

    Args:
        command: `fit` or another one of Lightning's.
        folder: the run's folder.
        step: `global_step`, of a training.
    """

    def __init__(self, command: str, folder: Path, step: int) -> None:
        super().__init__(_text(command, folder, step))


def _text(command: str, folder: Path, step: int) -> str:
    if command != "fit":
        further = "goes on" if command == "predict" else "starts again"
        return f"interrupted; the same command {further}"
    place = f"interrupted at step {step}"
    if not has_checkpoint(folder):
        return f"{place}, before the first checkpoint; the same command starts again"
    return f"{place}; go on with `rrnn fit --resume {folder}`"
