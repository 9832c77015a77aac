"""The folder of a run: one run a folder, nothing in it is ever overwritten by another run.

`config.yaml`, `metrics.jsonl`, `checkpoints/last.ckpt`, `checkpoints/last-1.ckpt`, the one before,
`checkpoints/best.ckpt`, `wandb/`, and at the end `summary.json`, `reconstructions.jsonl`,
`curves.png`. A folder without `summary.json` holds an unfinished run; one with `owner.json` is
written by a process, or was when that died.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LATEST = "latest"
CONFIG_FILE = "config.yaml"
METRICS_FILE = "metrics.jsonl"
SUMMARY_FILE = "summary.json"
RECONSTRUCTIONS_FILE = "reconstructions.jsonl"
CURVES_FILE = "curves.png"
STOP_REQUEST_FILE = "stop_request"  # why whoever sends SIGTERM does it, in one word
WANDB_ID_FILE = "wandb_run_id"
CHECKPOINTS = "checkpoints"
LAST_CHECKPOINT = f"{CHECKPOINTS}/last.ckpt"
PREVIOUS_CHECKPOINT = f"{CHECKPOINTS}/last-1.ckpt"  # the one before, if that is damaged
BEST_CHECKPOINT = f"{CHECKPOINTS}/best.ckpt"


@dataclass(frozen=True)
class RunSettings:
    """Where a run lives.

    Attributes:
        folder: the run's folder; with `if_exists: new` a number is appended when it is taken.
        if_exists: what to do when the folder holds a run: `new` takes the next free
            `<folder>-2`, `<folder>-3`, ...; `resume` continues the first of these that is
            unfinished, and takes a new folder if there is none; `error` refuses.
    """

    folder: str
    if_exists: Literal["new", "resume", "error"]

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        if Path(self.folder).name in ("", "..") or "\0" in self.folder:
            raise ValueError(
                f"run.folder: wanted a folder with a name of its own, got {self.folder!r}"
            )


def point_latest(folder: Path) -> None:
    """Let `latest` beside the folder lead to it, where the file system has symbolic links."""
    if folder.name == LATEST:
        return  # `--resume runs/latest`: it leads to the run already
    part = folder.with_name(f"{LATEST}.{os.getpid()}.part")
    with suppress(OSError):
        part.symlink_to(folder.name)
        part.replace(folder.with_name(LATEST))
    part.unlink(missing_ok=True)


def is_run(folder: Path) -> bool:
    """Return whether a run was started in `folder`."""
    return (folder / CONFIG_FILE).is_file()


def free_name(path: Path) -> Path:
    """Return `name.1.ext`, `name.2.ext`, ...: the first that is not taken."""
    number = 1
    while (earlier := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    return earlier


def reopen_run(folder: Path) -> None:
    """Put the summary of a finished run aside: a run that is extended is unfinished again."""
    summary = folder / SUMMARY_FILE
    if summary.is_file():
        summary.rename(free_name(summary))


def is_finished(folder: Path) -> bool:
    """Return whether the run in `folder` reached its end."""
    return (folder / SUMMARY_FILE).is_file()


def has_checkpoint(folder: Path) -> bool:
    """Return whether there is something to go on from, whole or not."""
    return any((folder / name).is_file() for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT))


def choose_folder(settings: RunSettings) -> tuple[Path, bool]:
    """Return the folder to use and whether the run in it is to be resumed.

    Raises:
        ValueError: the folder holds a run and `if_exists` is `error`, or it is a file.
    """
    folder = Path(settings.folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"run.folder: wanted a folder, got the file {folder}")
    if is_run(folder) and settings.if_exists == "error":
        raise ValueError(f"run.folder: wanted an unused folder, got one with a run: {folder}")
    candidate, number = folder, 1
    while is_run(candidate):
        if settings.if_exists == "resume" and not is_finished(candidate):
            return candidate, has_checkpoint(candidate)
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate, False
